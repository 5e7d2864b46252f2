using Mesh.Server.Core;

namespace Mesh.Server.Supervisor;

/// <summary>Draws a report from a server's status and its machine.</summary>
internal static class SupervisorReportBuilder
{
    public static SupervisorReport Of(ServerStatus status, SystemReport system, int maxQueue, DateTimeOffset now)
    {
        var id = Guid.CreateVersion7(now).ToString();
        return new(
            status.Id.Value,
            "performance_report",
            now,
            id,
            id,
            new(system, new(WorkersOf(status), new(status.Queue, status.Running))),
            new(maxQueue),
            [.. status.Peers.Select(peer => new NeighborReport(peer.Id.Value, peer.Alive ? "active" : "inactive", peer.LastSeen))]);
    }

    private static WorkersReport WorkersOf(ServerStatus status)
    {
        var (idle, busy, leaving, lent, gone, received) = (0, 0, 0, 0, 0, 0);
        foreach (var worker in status.Workers)
        {
            switch (worker.State)
            {
                case WorkerState.Idle:
                    idle++;
                    break;
                case WorkerState.Busy:
                    busy++;
                    break;
                case WorkerState.Leaving:
                    leaving++;
                    break;
                case WorkerState.Lent:
                    lent++;
                    break;
                case WorkerState.Gone or WorkerState.SetAside:
                    gone++;
                    break;
                default:
                    throw new InvalidOperationException($"Unknown state {worker.State}.");
            }

            received += worker.Home != status.Id ? 1 : 0;
        }

        var alive = idle + busy + leaving;
        return new(status.Workers.Count, Percent.Of(busy, alive), alive, idle, lent, received, received, gone);
    }
}
