using System.Text.Json.Serialization;
using Mesh.Server.Core;

namespace Mesh.Server.Supervisor;

/// <summary>
/// The report to a supervisor, sent as one line of JSON. Its field names are those that existing supervisors read. Two of them are misspelled there; the report
/// has both spellings.
/// </summary>
internal sealed record SupervisorReport(
    string ServerUuid,
    string Task,
    DateTimeOffset Timestamp,
    [property: JsonPropertyName("mensage_id")] string MessageIdAsTheyWriteIt,
    string MessageId,
    PerformanceReport Performance,
    ThresholdReport ConfigThresholds,
    IReadOnlyList<NeighborReport> Neighbors);

internal sealed record PerformanceReport(SystemReport System, FarmReport FarmState);

/// <summary>The machine's metrics. Values that the machine does not provide are null.</summary>
/// <param name="UptimeSeconds">The time since the machine started, seconds.</param>
internal sealed record SystemReport(
    long UptimeSeconds,
    [property: JsonPropertyName("load_average_1m")] double? LoadAverage1M,
    [property: JsonPropertyName("load_average_5m")] double? LoadAverage5M,
    CpuReport Cpu,
    MemoryReport Memory,
    DiskReport? Disk);

/// <param name="UsagePercent">The usage of all processors since the previous report.</param>
internal sealed record CpuReport(double? UsagePercent, int CountLogical, int CountPhysical);

/// <summary>The machine's or container's memory, in MiB.</summary>
internal sealed record MemoryReport(long TotalMb, long AvailableMb, double PercentUsed, long MemoryUsed);

/// <summary>The volume that the server runs from, in GiB.</summary>
internal sealed record DiskReport(double TotalGb, double FreeGb, double PercentUsed);

internal sealed record FarmReport(WorkersReport Workers, TasksReport Tasks);

/// <summary>The numbers of workers, by state.</summary>
/// <param name="TotalRegistered">All workers of this server, including lent ones, and the workers that it has borrowed.</param>
/// <param name="WorkersUtilization">The busy workers among <paramref name="WorkersAlive"/>, percent.</param>
/// <param name="WorkersAlive">The workers connected to this server, its own and borrowed ones.</param>
/// <param name="WorkersBorrowed">This server's workers that other servers have borrowed.</param>
/// <param name="WorkersReceived">The workers that this server has borrowed.</param>
/// <param name="WorkersFailed">The workers that are disconnected or set aside.</param>
internal sealed record WorkersReport(
    int TotalRegistered,
    double WorkersUtilization,
    int WorkersAlive,
    int WorkersIdle,
    int WorkersBorrowed,
    [property: JsonPropertyName("workers_recieved")] int WorkersReceivedAsTheyWriteIt,
    int WorkersReceived,
    int WorkersFailed);

internal sealed record TasksReport(int TasksPending, int TasksRunning);

internal sealed record ThresholdReport(int MaxQueue);

/// <param name="Status">"active" or "inactive".</param>
internal sealed record NeighborReport(string ServerUuid, string Status, DateTimeOffset? LastHeartbeat);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SupervisorReport))]
internal sealed partial class SupervisorJson : JsonSerializerContext;

/// <summary>Creates a report from a server's status and its machine's metrics.</summary>
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
