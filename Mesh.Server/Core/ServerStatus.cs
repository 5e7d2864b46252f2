using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core;

/// <summary>A snapshot of a server, as GET /status tells it.</summary>
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
    IReadOnlyList<AdoptionStatus> Adopted);

/// <summary>Whether a server takes new tasks, and those that it has.</summary>
/// <param name="Queue">Tasks that wait.</param>
/// <param name="Running">Tasks that run.</param>
internal sealed record PauseStatus(bool Paused, int Queue, int Running);

/// <summary>idle, busy, lent (away), leaving (an order waits for it), gone (within its grace) or set aside (it fails where others succeed).</summary>
internal enum WorkerState : byte
{
    Idle = 1,
    Busy,
    Lent,
    Leaving,
    Gone,
    SetAside,
}

/// <param name="Transport">Null for a worker that is away.</param>
/// <param name="Strikes">How often it has failed, since its last success, at a task that another worker then did.</param>
/// <param name="PausedUntil">It gets no task before; null for a worker without strikes.</param>
/// <param name="NotLentUntil">It is not lent before, since it has not followed REDIRECT; null for a worker that has not ignored one.</param>
internal sealed record WorkerStatus(
    WorkerId Id, ServerId Home, WorkerState State, Framing? Transport, int Strikes = 0, DateTimeOffset? PausedUntil = null, DateTimeOffset? NotLentUntil = null);

/// <param name="Tasks">Its tasks that are still unsettled.</param>
/// <param name="Done">Its tasks that were done here.</param>
internal sealed record AdoptionStatus(ServerId Server, DateTimeOffset Since, int Tasks, long Done);

internal sealed record PeerStatus(ServerId Id, MeshEndpoint Endpoint, bool Alive, DateTimeOffset? LastSeen, ServerLoad? Load);

/// <summary>Draws the snapshot that GET /status tells.</summary>
internal static class StatusBuilder
{
    public static ServerStatus Of(CoreState core) => new(
        core.Settings.Id,
        core.Settings.Advertise,
        core.Tasks.Depth,
        core.Tasks.Running,
        core.Tasks.Done,
        core.Tasks.Dead,
        core.Paused,
        Workers(core),
        [.. core.Peers.All.Select(peer => new PeerStatus(peer.Id, peer.Settings.Endpoint, peer.Alive, peer.LastSeen, peer.Load))],
        [.. core.Loans.All.Select(loan => loan.Record)],
        [.. core.Adoptions.Values.Select(adoption => new AdoptionStatus(
            adoption.Server, adoption.Since, core.Tasks.All.Count(task => task.Record.StoredBy == adoption.Server), adoption.Done))]);

    private static List<WorkerStatus> Workers(CoreState core)
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
            if (loan.Record.Role == LoanRole.Owner && core.Workers.Find(loan.Worker) is null)
            {
                workers.Add(new WorkerStatus(loan.Worker, core.Settings.Id, WorkerState.Lent, null));
            }
        }

        return workers;
    }

    private static WorkerState StateOf(CoreState core, WorkerEntry worker)
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
}

/// <summary>How many of everything that can grow a core holds.</summary>
/// <param name="Tasks">Unsettled tasks.</param>
/// <param name="QueueEntries">Places in the queues, void ones too.</param>
/// <param name="PendingPolls">Held get_tasks.</param>
/// <param name="Sessions">Connections with workers bound to them.</param>
/// <param name="TaskSessions">Connections that tasks were sent on.</param>
internal sealed record CoreFootprint(
    int Tasks, int QueueEntries, int InvalidationRetries, int Workers, int PendingPolls, int Sessions, int TaskSessions, int Loans, int ReleaseRequests, int ReleaseBatches);
