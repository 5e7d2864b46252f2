namespace Mesh.Server.Core;

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
