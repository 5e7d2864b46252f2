using Mesh.Protocol;

namespace Mesh.Server.Core;

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
