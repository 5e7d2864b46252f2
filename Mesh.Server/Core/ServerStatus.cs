using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core;

/// <summary>A snapshot of a server, for GET /status.</summary>
internal sealed record ServerStatus(
    ServerId Id,
    MeshEndpoint Advertise,
    int Queue,
    int Running,
    long Done,
    long Dead,
    bool Paused,
    IReadOnlyList<WorkerStatus> Workers,
    IReadOnlyList<PeerStatus> Peers,
    IReadOnlyList<LoanRecord> Loans,
    IReadOnlyList<AdoptionStatus> Adopted)
{
    private const int MaxTypes = 50;

    /// <summary>The number of tasks that wait until a time.</summary>
    public int Scheduled { get; init; }

    /// <summary>The task types with queued or running tasks, those with the most queued tasks first, up to <see cref="MaxTypes"/>.</summary>
    public IReadOnlyList<TypeStatus> Types { get; init; } = [];

    /// <summary>Creates the snapshot of a server's current state.</summary>
    public static ServerStatus Of(CoreState core) => new(
        core.Settings.Id,
        core.Settings.Advertise,
        core.Tasks.Depth,
        core.Tasks.Running,
        core.Tasks.Done,
        core.Tasks.Dead,
        core.Paused,
        WorkersOf(core),
        [.. core.Peers.All.Select(peer => new PeerStatus(peer.Id, peer.Settings.Endpoint, peer.Alive, peer.LastSeen, peer.Load))],
        [.. core.Loans.All.Select(loan => loan.Record)],
        [.. core.Adoptions.Values.Select(adoption => new AdoptionStatus(
            adoption.Server, adoption.Since, core.Tasks.CountStoredBy(adoption.Server), adoption.Done))])
    {
        Scheduled = core.Tasks.Scheduled.Count,
        Types = [.. core.Tasks.BusiestQueues.Take(MaxTypes).Select(queue => new TypeStatus(queue.Type, queue.Depth, queue.Running))],
    };

    /// <summary>Returns whether a loan is that of a lent worker which is not in memory.</summary>
    public static bool IsAway(CoreState core, Loan loan) => loan.Record.Role == LoanRole.Owner && core.Workers.Find(loan.Worker) is null;

    public static WorkerState StateOf(CoreState core, WorkerEntry worker)
    {
        if (worker.IsGone)
        {
            return WorkerState.Gone;
        }

        return core.Loans.Find(worker.Id)?.State switch
        {
            LoanState.Lent or LoanState.Released => WorkerState.Lent,
            LoanState.Offered or LoanState.Returning or LoanState.Returned => WorkerState.Leaving,
            null or LoanState.Expected or LoanState.Arrived or LoanState.Releasing =>
                worker.Health.IsSetAside ? WorkerState.SetAside : worker.Running.Count > 0 ? WorkerState.Busy : WorkerState.Idle,
            _ => throw new InvalidOperationException("A loan state is unknown."),
        };
    }

    private static List<WorkerStatus> WorkersOf(CoreState core)
    {
        var workers = new List<WorkerStatus>();
        foreach (var worker in core.Workers.All)
        {
            var state = StateOf(core, worker);
            workers.Add(new WorkerStatus(
                worker.Id,
                worker.Home,
                state,
                state == WorkerState.Lent ? null : worker.Framing,
                worker.Health.Strikes,
                worker.Health.IsLimited ? worker.Health.PausedUntil : null,
                worker.IgnoredRedirects.Count > 0 ? worker.IgnoredRedirects.NotLentUntil : null));
        }

        foreach (var loan in core.Loans.All)
        {
            if (IsAway(core, loan))
            {
                workers.Add(new WorkerStatus(loan.Worker, core.Settings.Id, WorkerState.Lent, null));
            }
        }

        return workers;
    }
}

/// <summary>A task type in GET /status.</summary>
internal sealed record TypeStatus(TaskType Type, int Queue, int Running);

/// <summary>Whether a server accepts new tasks, and how many tasks it has.</summary>
/// <param name="Queue">The number of queued tasks.</param>
/// <param name="Running">The number of running tasks.</param>
internal sealed record PauseStatus(bool Paused, int Queue, int Running)
{
    public static PauseStatus Of(CoreState core) => new(core.Paused, core.Tasks.Depth, core.Tasks.Running);
}

/// <summary>The state of a worker in GET /status.</summary>
internal enum WorkerState : byte
{
    /// <summary>Connected, without a task.</summary>
    Idle = 1,

    /// <summary>Connected, with at least one task.</summary>
    Busy,

    /// <summary>Lent to a peer.</summary>
    Lent,

    /// <summary>A REDIRECT or RETURN is the answer to its next get_task, or was just sent.</summary>
    Leaving,

    /// <summary>Its WebSocket closed less than <see cref="TasksOptions.WorkerGrace"/> ago.</summary>
    Gone,

    /// <summary>It reached <see cref="TasksOptions.SetAsideAfter"/> strikes.</summary>
    SetAside,
}

/// <summary>A worker in GET /status.</summary>
/// <param name="Transport">The framing, or null for a lent worker.</param>
/// <param name="Strikes">The number of times since its last success that it failed at a task that another worker then completed.</param>
/// <param name="PausedUntil">The time before which it receives no task, or null for a worker without strikes.</param>
/// <param name="NotLentUntil">The time before which it is not lent because it ignored a REDIRECT, or null for a worker that did not ignore one.</param>
internal sealed record WorkerStatus(
    WorkerId Id, ServerId Home, WorkerState State, Framing? Transport, int Strikes = 0, DateTimeOffset? PausedUntil = null, DateTimeOffset? NotLentUntil = null);

/// <summary>An adopted server in GET /status.</summary>
/// <param name="Tasks">The number of its unsettled tasks.</param>
/// <param name="Done">The number of its tasks that this server completed.</param>
internal sealed record AdoptionStatus(ServerId Server, DateTimeOffset Since, int Tasks, long Done);

/// <summary>A peer in GET /status.</summary>
internal sealed record PeerStatus(ServerId Id, MeshEndpoint Endpoint, bool Alive, DateTimeOffset? LastSeen, ServerLoad? Load);
