using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Workers;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Compares the numbers of workers that a server keeps up to date with its workers.</summary>
internal static class HomeWorkersCheck
{
    public static void Check(ServerNode server)
    {
        if (server.Core?.State is not { } state)
        {
            return;
        }

        var atHome = state.Workers.All.Where(worker => Lender.IsAtHome(worker, state)).ToList();
        var (serving, available) = (atHome.Count(worker => !worker.Health.IsSetAside), atHome.Count(worker => !worker.Health.IsLimited));
        var actual = (atHome.Count, serving, available, available, Idle: atHome.Count(worker => !worker.Health.IsLimited && worker.Running.Count == 0));
        var homes = state.Workers.Homes;
        var counted = (homes.Groups.Sum(group => group.Workers), homes.Groups.Sum(group => group.Serving), homes.Groups.Sum(group => group.Available), homes.Available, homes.Idle);
        if (counted != actual)
        {
            throw new InvariantViolation(Invariant.WorkersCounted, $"{server.Name} counts {counted} workers at home, serving, available and idle, and has {actual}");
        }

        foreach (var type in WorkloadTypes.All)
        {
            var able = state.Workers.All.Where(worker => !worker.IsGone && !worker.Health.IsSetAside && worker.Handles.Contains(type)).ToList();
            var connected = new ConnectedCount(able.Count, able.Count(worker => worker.Health.Failures == 0));
            if (homes.Connected.CountOf(type) is var known && known != connected)
            {
                throw new InvariantViolation(Invariant.WorkersCounted, $"{server.Name} counts {known} connected workers for {type}, and has {connected}");
            }
        }
    }
}
