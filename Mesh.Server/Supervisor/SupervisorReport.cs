using System.Text.Json.Serialization;
using Mesh.Server.Core;

namespace Mesh.Server.Supervisor;

/// <summary>
/// A server as it tells a supervisor: one line of JSON. The names are those of the servers that a supervisor knows already, with two of
/// their misspellings beside the right ones.
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

/// <summary>The machine; null is what it does not tell.</summary>
/// <param name="UptimeSeconds">Since the machine started.</param>
internal sealed record SystemReport(
    long UptimeSeconds,
    [property: JsonPropertyName("load_average_1m")] double? LoadAverage1M,
    [property: JsonPropertyName("load_average_5m")] double? LoadAverage5M,
    CpuReport Cpu,
    MemoryReport Memory,
    DiskReport? Disk);

/// <param name="UsagePercent">Of all processors, since the report before.</param>
internal sealed record CpuReport(double? UsagePercent, int CountLogical, int CountPhysical);

/// <summary>In MiB.</summary>
internal sealed record MemoryReport(long TotalMb, long AvailableMb, double PercentUsed, long MemoryUsed);

/// <summary>The volume that the server runs from, in GiB.</summary>
internal sealed record DiskReport(double TotalGb, double FreeGb, double PercentUsed);

internal sealed record FarmReport(WorkersReport Workers, TasksReport Tasks);

/// <param name="TotalRegistered">Workers of this server, wherever they are, and those that it has from others.</param>
/// <param name="WorkersUtilization">Busy ones of those alive, percent.</param>
/// <param name="WorkersAlive">At this server, its own and others'.</param>
/// <param name="WorkersBorrowed">Its own that others have borrowed.</param>
/// <param name="WorkersReceived">Others' that it has borrowed.</param>
/// <param name="WorkersFailed">Workers that are gone or set aside.</param>
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

/// <param name="Status">active or inactive.</param>
internal sealed record NeighborReport(string ServerUuid, string Status, DateTimeOffset? LastHeartbeat);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SupervisorReport))]
internal sealed partial class SupervisorJson : JsonSerializerContext;

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
