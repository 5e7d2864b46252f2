using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Transport;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Bench.Idle;

/// <summary>A crowd of workers that only wait; then one task, to see that they are there.</summary>
internal sealed class IdleRun(Uri url, int workers, TimeSpan stay, string? token, int? process)
{
    private const int DialledAtATime = 64;

    private readonly TaskCompletionSource<TimeSpan> _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _submitted;
    private int _lost;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = url };
        http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        Console.WriteLine($"before     {await LookAsync(http, cancellationToken)}");
        var dialer = new MeshDialer(new MeshDialerOptions { Token = token, UseTls = url.Scheme == Uri.UriSchemeHttps, HandshakeTimeout = TimeSpan.FromSeconds(10) });
        var connections = new MeshConnection[workers];
        var waiting = new Task[workers];
        var clock = Stopwatch.StartNew();
        await Parallel.ForAsync(0, workers, new ParallelOptions { MaxDegreeOfParallelism = DialledAtATime, CancellationToken = cancellationToken }, async (i, cancel) =>
        {
            connections[i] = await dialer.DialAsync(new MeshEndpoint(url.Host, url.Port), Framing.WebSocket, cancel);
            waiting[i] = WaitAsync(new WorkerId($"idle-{i}"), connections[i]);
        });
        Console.WriteLine($"connected  {workers:N0} workers in {clock.Elapsed.TotalSeconds:N1} s");
        Console.WriteLine($"connected  {await LookAsync(http, cancellationToken)}");
        var (used, since) = (ProcessorTime(), Stopwatch.GetTimestamp());
        await Task.Delay(stay, TimeProvider.System, cancellationToken);
        if (used is { } before && ProcessorTime() is { } after)
        {
            Console.WriteLine($"idle       {(after - before) / Stopwatch.GetElapsedTime(since):P1} of one processor");
        }

        Console.WriteLine($"after      {await LookAsync(http, cancellationToken)}");
        _submitted = Stopwatch.GetTimestamp();
        using var answer = await http.PostAsJsonAsync(new Uri("/tasks", UriKind.Relative), new { type = "QUERY", user = "maria" }, cancellationToken);
        answer.EnsureSuccessStatusCode();
        Console.WriteLine($"one task   reached a worker in {(await _taken.Task.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken)).TotalMilliseconds:N1} ms");
        Console.WriteLine($"lost       {_lost} connections");
        foreach (var connection in connections)
        {
            connection.Abort(CloseReason.Done);
        }

        await Task.WhenAll(waiting);
        return _lost == 0 ? 0 : 1;
    }

    private async Task WaitAsync(WorkerId id, MeshConnection connection)
    {
        var ask = new GetTask(id) { Tasks = TaskTypes.All };
        connection.TrySend(ask);
        while (true)
        {
            var received = await connection.ReceiveAsync(CancellationToken.None);
            switch (received.Message)
            {
                case NoTask or Ack:
                    connection.TrySend(ask);
                    break;
                case NewTask task:
                    _taken.TrySetResult(Stopwatch.GetElapsedTime(_submitted));
                    connection.TrySend(new TaskStatus(TaskOutcome.Ok, task.Type, id) { Id = task.Id, Result = 0 });
                    break;
                default:
                    if (received.Kind != ReceivedKind.End || received.EndReason != CloseReason.Done)
                    {
                        Interlocked.Increment(ref _lost);
                    }

                    connection.Abort(CloseReason.Done);
                    return;
            }
        }
    }

    private async Task<string> LookAsync(HttpClient http, CancellationToken cancellationToken)
    {
        var status = await http.GetFromJsonAsync<JsonElement>(new Uri("/status", UriKind.Relative), cancellationToken);
        var there = status.GetProperty("workers").GetArrayLength();
        return process is { } id ? $"{there:N0} workers there; the server's memory is {Memory(id) / 1024:N0} MiB" : $"{there:N0} workers there";
    }

    // Resident, in KiB.
    private static long Memory(int id) =>
        long.Parse(File.ReadLines($"/proc/{id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
            System.Globalization.CultureInfo.InvariantCulture);

    private TimeSpan? ProcessorTime() => process is { } id ? Process.GetProcessById(id).TotalProcessorTime : null;
}
