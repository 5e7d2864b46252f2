using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Faults;

/// <summary>Draws the task types of the workers of a plan.</summary>
internal static class WorkerTypes
{
    /// <summary>
    /// In most lives the workers handle different types, and the first worker of each server handles all, so that each task finds a worker. In some lives one server has no
    /// worker for REPORT, and must borrow.
    /// </summary>
    public static SimulationPlan Draw(SimulationPlan plan, Random random)
    {
        var (typed, lacking) = (random.Chance(0.7), random.Next(plan.Servers.Count));
        if (random.Chance(0.8) && CanLend(plan, lacking))
        {
            return plan with
            {
                AllowsDefects = false,
                Servers = [.. plan.Servers.Select((server, index) => index != lacking ? server
                    : server with { Workers = [.. server.Workers.Select(worker => worker with { Types = WorkloadTypes.WithoutReport })] })],
            };
        }

        return !typed ? plan : plan with
        {
            Servers = [.. plan.Servers.Select(server => server with
            {
                Workers = [.. server.Workers.Select((worker, number) => number == 0 ? worker : worker with { Types = random.Pick(WorkloadTypes.Sets) })],
            })],
        };
    }

    /// <summary>
    /// Whether a peer of a server certainly lends workers after the faults. A server can be lost for ever, and a worker that failed where others succeed is not lent until it
    /// succeeds.
    /// </summary>
    private static bool CanLend(SimulationPlan plan, int borrower) =>
        plan.Work is { Failing: 0, IgnoresCancellation: 0, High: < 5 }
        && !plan.Faults.Any(fault => fault.Kind == FaultKind.RemoveServer)
        && plan.Servers.Where((server, index) => index != borrower && server.Workers.Count >= server.Settings.Balancing.MinWorkersBeforeSharing + 2).Any();
}
