using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Idle;

/// <summary>Connects many workers that only wait, measures the server, and submits one task to verify that the workers are connected.</summary>
internal sealed class IdleRun(MeasuredServer server, int workers, TimeSpan stay, ServerProcess? process, TextWriter output)
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan TaskTimeout = TimeSpan.FromSeconds(10);

    /// <returns>The exit code: 0 when no connection was lost.</returns>
    /// <exception cref="BenchException">The server is unreachable, or its answers are not those of a mesh server.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var crowd = new IdleWorkers(server, workers);
        try
        {
            await MeasureAsync(crowd, cancellationToken);
        }
        catch (Exception exception) when ((MeasuredServer.IsConnectionError(exception) || exception is OperationCanceledException) && !cancellationToken.IsCancellationRequested)
        {
            // HttpClient reports a timeout as a cancellation.
            throw server.ToBenchException(exception);
        }

        return crowd.Lost == 0 ? 0 : 1;
    }

    private async Task MeasureAsync(IdleWorkers crowd, CancellationToken cancellationToken)
    {
        using var http = server.CreateClient(RequestTimeout);
        output.WriteLine($"before     {await DescribeServerAsync(http, cancellationToken)}");
        var clock = Stopwatch.StartNew();
        await crowd.ConnectAsync(cancellationToken);
        output.WriteLine($"connected  {workers:N0} workers in {clock.Elapsed.TotalSeconds:N1} s");
        output.WriteLine($"connected  {await DescribeServerAsync(http, cancellationToken)}");
        var (used, since) = (process?.ProcessorTime, Stopwatch.GetTimestamp());
        await Task.Delay(stay, TimeProvider.System, cancellationToken);
        if (process is not null)
        {
            output.WriteLine($"idle       {(process.ProcessorTime - used!.Value) / Stopwatch.GetElapsedTime(since):P1} of one processor");
        }

        output.WriteLine($"after      {await DescribeServerAsync(http, cancellationToken)}");
        var submitted = Stopwatch.GetTimestamp();
        using var answer = await http.PostAsJsonAsync(new Uri("/tasks", UriKind.Relative), new { type = "QUERY", user = "maria" }, cancellationToken);
        answer.EnsureSuccessStatusCode();
        output.WriteLine($"one task   reached a worker in {(await WaitForTaskAsync(crowd, submitted, cancellationToken)).TotalMilliseconds:N1} ms");
        output.WriteLine($"lost       {crowd.Lost} connections");
    }

    private static async Task<TimeSpan> WaitForTaskAsync(IdleWorkers crowd, long submitted, CancellationToken cancellationToken)
    {
        try
        {
            return Stopwatch.GetElapsedTime(submitted, await crowd.FirstTaskReceived.WaitAsync(TaskTimeout, TimeProvider.System, cancellationToken));
        }
        catch (TimeoutException exception)
        {
            throw new BenchException($"None of these workers received the accepted task within {TaskTimeout.TotalSeconds:0} s. Check whether the server has other workers.", exception);
        }
    }

    private async Task<string> DescribeServerAsync(HttpClient http, CancellationToken cancellationToken)
    {
        var there = await WorkersAsync(http, cancellationToken) ?? throw new BenchException($"{server.Url} is not a mesh server: its /status has no workers.");
        return $"{there:N0} workers connected{(process is null ? "" : $"; the server's memory is {process.Memory / (1024 * 1024):N0} MiB")}";
    }

    private static async Task<int?> WorkersAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            var status = await http.GetFromJsonAsync<JsonNode>(new Uri("/status", UriKind.Relative), cancellationToken);
            return ((status as JsonObject)?["workers"] as JsonArray)?.Count;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
