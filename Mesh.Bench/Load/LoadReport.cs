using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HdrHistogram;
using Spectre.Console;

namespace Mesh.Bench.Load;

/// <summary>What a run came to. Times in milliseconds.</summary>
internal sealed record LoadReport(
    string Url, string Transport, int Workers, int Tasks, int Batch, int Submitters, int Acknowledged, double Seconds, double TasksPerSecond, Percentiles Submit, Percentiles Queue, Percentiles Task)
{
    public static LoadReport Of(LoadPlan plan, TaskTimes times, TimeSpan elapsed)
    {
        var (submit, queue, task) = times.Histograms();
        return new(
            plan.Server.Url.ToString(),
            plan.Transport == Protocol.Framing.Line ? "tcp" : "websocket",
            plan.Workers,
            plan.Tasks,
            plan.Batch,
            plan.Submitters,
            times.Acknowledged,
            Math.Round(elapsed.TotalSeconds, 3),
            Math.Round(times.Acknowledged / elapsed.TotalSeconds),
            Percentiles.Of(submit),
            Percentiles.Of(queue),
            Percentiles.Of(task));
    }

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.LoadReport);

    public void Print(IAnsiConsole console)
    {
        var table = new Table().AddColumns("milliseconds", "p50", "p90", "p99", "p99.9", "max");
        AddRow(table, $"submit (a POST of {Batch})", Submit);
        AddRow(table, "queue (accepted to worker)", Queue);
        AddRow(table, "task (POST to ACK)", Task);
        foreach (var column in table.Columns.Skip(1))
        {
            column.RightAligned();
        }

        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Acknowledged:N0} tasks in {Seconds:N1} s: {TasksPerSecond:N0} tasks/s ({Workers} workers over {Transport})"));
        console.Write(table);
    }

    private static void AddRow(Table table, string name, Percentiles spread) => table.AddRow(
        name, Text(spread.P50), Text(spread.P90), Text(spread.P99), Text(spread.P999), Text(spread.Max));

    private static string Text(double milliseconds) => milliseconds.ToString("N2", CultureInfo.InvariantCulture);
}

/// <summary>Percentiles, in milliseconds.</summary>
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
