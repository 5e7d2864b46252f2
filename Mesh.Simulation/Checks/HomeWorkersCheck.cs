using Mesh.Server.Core.Loans;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Compares the numbers of the workers at home, which a server keeps up to date, with its workers.</summary>
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
    }
}
