using System.Text.Json.Nodes;

namespace Mesh.Bench.Chaos;

/// <summary>Counts the loans of a run by polling the status of the owners every 500 ms. Shorter loans are not counted.</summary>
internal sealed class LoanCounter(ChaosMesh mesh, TimeProvider time)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    private readonly HashSet<string> _seen = [];

    public int Count => _seen.Count;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Step, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await Task.WhenAll(mesh.Http.Select(server => PollStatusAsync(server, cancellationToken)));
            }
        }
        catch (OperationCanceledException)
        {
            // The load has ended.
        }
    }

    private async Task PollStatusAsync(HttpClient server, CancellationToken cancellationToken)
    {
        try
        {
            var status = JsonNode.Parse(await server.GetStringAsync(new Uri("/status", UriKind.Relative), cancellationToken))!;
            lock (_seen)
            {
                foreach (var loan in status["loans"]!.AsArray().Where(loan => (string)loan!["owner"]! == (string)status["id"]!))
                {
                    // The trace id alone is ambiguous, because one request may lend several workers. So is the worker, because it is lent many times.
                    _seen.Add($"{loan!["worker"]} {loan["traceId"] ?? loan["since"]}");
                }
            }
        }
        catch (Exception exception) when (ChaosLoad.IsUnavailable(exception))
        {
            // The server is down or disconnected.
        }
    }
}
