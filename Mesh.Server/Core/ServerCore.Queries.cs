using Mesh.Protocol;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core;

// Queries. They do not change the state.
internal sealed partial class ServerCore
{
    /// <summary>The number of queued tasks.</summary>
    public int QueueDepth => _core.Tasks.Depth;

    /// <summary>True while an operator has paused this server.</summary>
    public bool IsPaused => _core.Paused;

    /// <summary>True when a stopping server has no running task and no borrowed worker.</summary>
    public bool IsDrained => _core.Tasks.Running == 0 && _borrower.IsDrained;

    /// <summary>The number of entries in each collection of the core.</summary>
    public CoreFootprint Footprint => new(
        _core.Tasks.Count,
        _core.Tasks.QueueEntries,
        _tasks.InvalidationRetries,
        _core.Workers.All.Count,
        _core.Workers.All.Sum(worker => worker.PendingPolls.Count),
        _core.Workers.Sessions,
        _core.Deliveries.Sessions,
        _core.Loans.All.Count,
        _borrower.ReleaseRequests,
        _lender.Batches,
        _core.Peers.All.Count);

    /// <summary>Finds an unsettled task by its client id, or returns null.</summary>
    public TaskRecord? FindTask(string id) => (_core.Tasks.Find(id, storedBy: null) ?? _admission.FindAdopted(id))?.ToRecord();

    /// <summary>Finds the unsettled tasks of adopted servers that have the same idempotency key as one of the given tasks, by that key.</summary>
    public Dictionary<string, TaskRecord> FindAdopted(IReadOnlyList<TaskRecord> tasks)
    {
        var found = new Dictionary<string, TaskRecord>();
        foreach (var task in tasks)
        {
            if (task.Keyed && _admission.FindAdopted(task.Id) is { } adopted)
            {
                found[task.Id] = adopted.Record;
            }
        }

        return found;
    }

    /// <summary>
    /// Returns the first unsettled tasks in a state: scheduled tasks in the order in which they are due, queued tasks in the order in which they came into the queue, and running tasks in
    /// the order of their acceptance.
    /// </summary>
    /// <param name="state">Scheduled, queued or running.</param>
    public IEnumerable<TaskRecord> ListTasks(TaskState state, int limit) => (state switch
    {
        TaskState.Scheduled => _core.Tasks.Scheduled.InOrder(),
        TaskState.Queued => _core.Tasks.InQueueOrder(),
        TaskState.Running => _core.Tasks.RunningTasks.OrderBy(task => task.Record.Sequence),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Other tasks are in the store only."),
    }).Take(limit).Select(task => task.ToRecord());

    /// <summary>The whole state. Used by the checks of the simulation.</summary>
    public CoreState State => _core;

    /// <summary>All unsettled tasks. Used by the checks of the simulation.</summary>
    public IEnumerable<TaskEntry> Unsettled => _core.Tasks.All;

    /// <summary>Finds a schedule of this server, or else of an adopted one, or returns null.</summary>
    public ScheduleStatus? FindSchedule(string name) => _core.FindSchedule(name) is { } entry ? StatusOf(entry) : null;

    /// <summary>Returns the schedules of this server and of adopted servers, by name.</summary>
    public IReadOnlyList<ScheduleStatus> ListSchedules() =>
        [.. _core.Schedules.All.OrderBy(entry => entry.Record.Name, StringComparer.Ordinal).ThenBy(entry => entry.Record.StoredBy?.Value, StringComparer.Ordinal).Select(StatusOf)];

    public ServerStatus GetStatus() => ServerStatus.Of(_core);

    public ServerGauges GetGauges() => ServerGauges.Of(_core);

    /// <summary>Returns the known framing of a peer, or null. Used by tests.</summary>
    public Framing? FramingOf(ServerId peer) => _core.Peers.Find(peer)?.Framing;

    /// <summary>Finds a worker, or returns null. Used by the checks of the simulation.</summary>
    public WorkerEntry? FindWorker(WorkerId id) => _core.Workers.Find(id);

    /// <summary>Returns whether a running task becomes a dead letter if its attempt fails now. Used by the checks of the simulation.</summary>
    public bool IsLastAttempt(TaskEntry task, DateTimeOffset now) => _tasks.IsLastAttempt(task, now);

    private static ScheduleStatus StatusOf(ScheduleEntry entry) => new(entry.Record, (entry.Firing?.Fired ?? entry.Record).NextTime);
}

/// <summary>The number of entries in each collection of a core that can grow. The simulation checks that they stay bounded.</summary>
/// <param name="Tasks">Unsettled tasks.</param>
/// <param name="QueueEntries">Entries in the task queues, including obsolete ones, and scheduled tasks.</param>
/// <param name="PendingPolls">Held get_tasks.</param>
/// <param name="Sessions">WebSockets that workers are bound to.</param>
/// <param name="TaskSessions">Sessions on which tasks were sent.</param>
internal sealed record CoreFootprint(
    int Tasks, int QueueEntries, int InvalidationRetries, int Workers, int PendingPolls, int Sessions, int TaskSessions, int Loans, int ReleaseRequests, int ReleaseBatches, int Peers);
