using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Transport;

namespace Mesh.Server.Core.Workers;

/// <summary>A worker that is connected to this server or disconnected recently. It belongs to this server or is borrowed.</summary>
internal sealed class WorkerEntry
{
    private readonly HomeWorkers _homes;
    private readonly List<TaskEntry> _running = [];

    /// <param name="homes">Is updated when the worker changes.</param>
    public WorkerEntry(WorkerId id, ServerId home, HomeWorkers homes)
    {
        _homes = homes;
        (GoneNode, IdleNode) = (new(this), new(this));
        (Id, Home) = (id, home);
    }

    public WorkerId Id { get; }

    public ServerId Home { get; set => Set(ref field, value); }

    public Framing Framing { get; set; }

    public TaskTypeSet Handles { get; set => Set(ref field, value); } = TaskTypeSet.Empty;

    /// <summary>
    /// True for a worker that does not send TASKS. Such a worker does not know our optional fields and runs one task at a time, so its get_task shows that it has no task.
    /// </summary>
    public bool RunsOneTaskAtATime { get; set; }

    /// <summary>The session of its WebSocket, or null for a line worker and for a disconnected worker.</summary>
    public SessionId? Session { get; set; }

    public DateTimeOffset LastSeen { get; set; }

    /// <summary>The number of open WebSockets of this worker that a newer one has replaced since <see cref="ReplacedConnectionsSince"/>.</summary>
    public int ReplacedConnections { get; set; }

    public DateTimeOffset ReplacedConnectionsSince { get; set; }

    /// <summary>The time when its WebSocket closed, or null when it is connected.</summary>
    public DateTimeOffset? GoneSince { get; set => Set(ref field, value); }

    /// <summary>True when it has a loan, whatever the role of this server.</summary>
    public bool HasLoan { get; set => Set(ref field, value); }

    /// <summary>True when it is removed from memory.</summary>
    public bool IsRemoved { get; set => Set(ref field, value); }

    public List<PendingPoll> PendingPolls { get; } = [];

    public IReadOnlyList<TaskEntry> Running => _running;

    /// <summary>The last task that was dispatched to it. A status without TASK_ID can answer it after it stopped running.</summary>
    public TaskEntry? LastTask { get; set; }

    /// <summary>The session on which its last task was sent, or the default value when that session has ended.</summary>
    public SessionId LastSentOn { get; set; }

    /// <summary>The session of the last task that is known to have reached the worker.</summary>
    public SessionId ConfirmedOn { get; set; }

    /// <summary>The <see cref="TaskEntry.SendOrder"/> of that task. Tasks with a lower order on the same session have reached the worker too.</summary>
    public long ConfirmedOrder { get; set; }

    /// <summary>True for a worker that resets connections after it has read everything. Its resets do not show that tasks were lost.</summary>
    public bool ResetsAfterReading { get; set; }

    public LinkedListNode<WorkerEntry> GoneNode { get; }

    /// <summary>The node of this worker in the list of idle workers.</summary>
    public LinkedListNode<WorkerEntry> IdleNode { get; }

    /// <summary>How it counts among the workers at home. <see cref="HomeWorkers"/> changes it.</summary>
    public HomePlace HomePlace { get; set; }

    /// <summary>How it counts among the connected workers. <see cref="ConnectedWorkers"/> changes it.</summary>
    public ConnectedPlace ConnectedPlace { get; set; }

    public WorkerHealth Health { get; set => Set(ref field, value); }

    /// <summary>The place of a worker with strikes in the order of <see cref="WorkerMonitor"/>.</summary>
    public (DateTimeOffset Due, long Order) HealthTimer { get; set; }

    public IgnoredRedirects IgnoredRedirects { get; set; }

    /// <summary>The start of its last loan if the worker was home again within <see cref="IgnoredRedirects.EarlyReturnWindow"/>, else the default value. It may not have reached the borrower.</summary>
    public DateTimeOffset LastShortLoan { get; set; }

    public bool IsGone => GoneSince is not null;

    public void AddRunning(TaskEntry task)
    {
        _running.Add(task);
        if (_running.Count == 1)
        {
            _homes.Update(this);
        }
    }

    public void RemoveRunning(TaskEntry task)
    {
        if (_running.Remove(task) && _running.Count == 0)
        {
            _homes.Update(this);
        }
    }

    private void Set<T>(ref T field, T value)
    {
        field = value;
        _homes.Update(this);
    }
}

/// <summary>The REDIRECTs that a worker ignored: it sent a get_task to its home again shortly afterwards. Immutable.</summary>
/// <param name="NotLentUntil">The time before which the worker is not lent.</param>
internal readonly record struct IgnoredRedirects(int Count, DateTimeOffset NotLentUntil)
{
    /// <summary>A worker that is back within this time after its REDIRECT has ignored it.</summary>
    public static readonly TimeSpan EarlyReturnWindow = TimeSpan.FromSeconds(20);

    private static readonly Backoff Pauses = new(TimeSpan.FromSeconds(30), TimeSpan.FromHours(1));

    /// <summary>Adds an ignored REDIRECT. Each further one doubles the time for which the worker is not lent, from 30 s up to 1 h.</summary>
    public IgnoredRedirects Increment(DateTimeOffset now) => new(Count + 1, now + Pauses.Delay(Count + 1));
}
