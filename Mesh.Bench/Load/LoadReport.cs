using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HdrHistogram;
using Spectre.Console;

namespace Mesh.Bench.Load;

/// <summary>The result of a run. Times are in milliseconds.</summary>
/// <param name="ProcessorMicroseconds">The processor time of this process for one task, in microseconds.</param>
internal sealed record LoadReport(
    string Url, string Worker, string Transport, int Workers, int Slots, int Tasks, int Batch, int Submitters, int Acknowledged, double Seconds, double TasksPerSecond, double ProcessorMicroseconds, Percentiles Submit, long Refused, Percentiles Refuse, Percentiles Queue,
    Percentiles Task, long? GrowthMiB)
{
    /// <param name="processor">The processor time of this process.</param>
    /// <param name="growth">The growth of the server's memory in bytes; null when it was not measured.</param>
    public static LoadReport Of(LoadPlan plan, TaskTimes times, TimeSpan elapsed, TimeSpan processor, long? growth)
    {
        var (submit, refusal, queue, task) = times.Histograms();
        return new(
            plan.Server.Url.ToString(),
            plan.Kind == WorkerKind.Package ? "package" : "loop",
            plan.Transport == Protocol.Framing.Line ? "tcp" : "websocket",
            plan.Workers,
            plan.Slots,
            plan.Tasks,
            plan.Batch,
            plan.Submitters,
            times.Acknowledged,
            Math.Round(elapsed.TotalSeconds, 3),
            Math.Round(times.Acknowledged / elapsed.TotalSeconds),
            times.Acknowledged == 0 ? 0 : Math.Round(processor.TotalMicroseconds / times.Acknowledged, 1),
            Percentiles.Of(submit),
            refusal.TotalCount,
            Percentiles.Of(refusal),
            Percentiles.Of(queue),
            Percentiles.Of(task),
            growth / (1024 * 1024));
    }

    /// <summary>Returns a message about the limit that the run exceeds, or null.</summary>
    public string? FindExcess(LoadLimits limits)
    {
        if (Refuse.Max > limits.Refusal)
        {
            return string.Create(CultureInfo.InvariantCulture, $"The slowest refusal took {Refuse.Max:N0} ms, more than --max-refusal {limits.Refusal}.");
        }

        return GrowthMiB > limits.Growth ? string.Create(CultureInfo.InvariantCulture, $"The server's memory grew by {GrowthMiB:N0} MiB, more than --max-growth {limits.Growth}.") : null;
    }

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.LoadReport);

    public void Print(IAnsiConsole console)
    {
        var table = new Table().AddColumns("milliseconds", "p50", "p90", "p99", "p99.9", "max");
        AddRow(table, $"submit (a POST of {Batch})", Submit);
        if (Refused > 0)
        {
            AddRow(table, string.Create(CultureInfo.InvariantCulture, $"refusal ({Refused:N0} POSTs)"), Refuse);
        }

        AddRow(table, "queue (accepted to worker)", Queue);
        AddRow(table, "task (POST to ACK)", Task);
        foreach (var column in table.Columns.Skip(1))
        {
            column.RightAligned();
        }

        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Acknowledged:N0} tasks in {Seconds:N1} s: {TasksPerSecond:N0} tasks/s ({Workers} workers with {Slots} slots over {Transport}, {Worker})"));
        console.Write(table);
        if (GrowthMiB is { } growth)
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The server's memory grew by {growth:N0} MiB after the first third of the tasks."));
        }
    }

    private static void AddRow(Table table, string name, Percentiles spread) => table.AddRow(
        name, Text(spread.P50), Text(spread.P90), Text(spread.P99), Text(spread.P999), Text(spread.Max));

    private static string Text(double milliseconds) => milliseconds.ToString("N2", CultureInfo.InvariantCulture);
}

/// <summary>Percentiles in milliseconds.</summary>
internal sealed record Percentiles(double P50, double P90, double P99, double P999, double Max)
{
    public static Percentiles Of(HistogramBase microseconds) => microseconds.TotalCount == 0
        ? new(0, 0, 0, 0, 0)
        : new(At(microseconds, 50), At(microseconds, 90), At(microseconds, 99), At(microseconds, 99.9), At(microseconds, 100));

    private static double At(HistogramBase microseconds, double percentile) => microseconds.GetValueAtPercentile(percentile) / 1000.0;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LoadReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
