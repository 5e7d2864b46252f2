using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Transport;

namespace Mesh.Server.Core.Workers;

/// <summary>A worker that this server has at its door, at home or borrowed.</summary>
internal sealed class WorkerEntry
{
    public WorkerEntry(WorkerId id, ServerId home)
    {
        (Id, Home) = (id, home);
        GoneNode = new LinkedListNode<WorkerEntry>(this);
    }

    public WorkerId Id { get; }

    public ServerId Home { get; set; }

    public Framing Framing { get; set; }

    public TaskTypes Handles { get; set; }

    /// <summary>
    /// True for a worker that does not say which types it handles: it was not written for our fields, runs one task at a time, and by
    /// asking again tells that it has none.
    /// </summary>
    public bool RunsOneTaskAtATime { get; set; }

    /// <summary>Its WebSocket; null for a line worker, and while it is gone.</summary>
    public SessionId? Session { get; set; }

    public DateTimeOffset LastSeen { get; set; }

    /// <summary>Open WebSockets of this worker that a newer one has replaced, since <see cref="ReplacedConnectionsSince"/>.</summary>
    public int ReplacedConnections { get; set; }

    public DateTimeOffset ReplacedConnectionsSince { get; set; }

    /// <summary>When its WebSocket closed, or null.</summary>
    public DateTimeOffset? GoneSince { get; set; }

    /// <summary>Its get_tasks that are held.</summary>
    public List<PendingPoll> PendingPolls { get; } = [];

    public List<TaskEntry> Running { get; } = [];

    /// <summary>The task it was last given: a status without TASK_ID answers it.</summary>
    public TaskEntry? LastTask { get; set; }

    /// <summary>The session that its last task was sent on; default once that has ended.</summary>
    public SessionId LastSentOn { get; set; }

    /// <summary>What was sent on this session, up to and with this place, has reached the worker.</summary>
    public SessionId ConfirmedOn { get; set; }

    public long ConfirmedOrder { get; set; }

    /// <summary>True for a worker that resets its connections though it has read all: its resets say nothing.</summary>
    public bool ResetsAfterReading { get; set; }

    public LinkedListNode<WorkerEntry> GoneNode { get; }

    /// <summary>How it does at its tasks.</summary>
    public WorkerHealth Health { get; set; }

    public IgnoredRedirects IgnoredRedirects { get; set; }

    public bool IsGone => GoneSince is not null;
}

/// <summary>How often a worker was sent to a borrower and asked at home again all the same, and until when it is not lent any more. Immutable.</summary>
internal readonly record struct IgnoredRedirects(int Count, DateTimeOffset NotLentUntil)
{
    /// <summary>A worker that is back within this time after its REDIRECT has not worked for the borrower.</summary>
    public static readonly TimeSpan EarlyReturnWindow = TimeSpan.FromSeconds(20);

    private static readonly Backoff Pauses = new(TimeSpan.FromSeconds(30), TimeSpan.FromHours(1));

    /// <summary>It has ignored one more: the time in which it is not lent doubles.</summary>
    public IgnoredRedirects Increment(DateTimeOffset now) => new(Count + 1, now + Pauses.Delay(Count + 1));
}
