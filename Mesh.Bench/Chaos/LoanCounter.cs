using System.Text.Json.Nodes;

namespace Mesh.Bench.Chaos;

/// <summary>Counts the loans of a run by looking at the owners' status now and then; a loan that is over sooner is missed.</summary>
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
            // Seen enough.
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
                    // Its trace is the request's; one request may lend several workers, and one worker is lent many times.
                    _seen.Add($"{loan!["worker"]} {loan["traceId"] ?? loan["since"]}");
                }
            }
        }
        catch (Exception exception) when (ChaosLoad.IsUnavailable(exception))
        {
            // It is down or cut off.
        }
    }
}
