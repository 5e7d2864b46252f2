using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>The reckoning: waits for rest, then holds every accepted task and every balance against what was promised.</summary>
internal sealed class ChaosVerifier(ChaosMesh mesh, ChaosPlan plan, TimeProvider time)
{
    private const int Parallel = 8;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);

    public int Done { get; private set; }

    public int Dead { get; private set; }

    /// <summary>Waits until nothing is under way and every worker is at home; what is amiss when the time is over is the failure.</summary>
    public async Task WaitUntilIdleAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (await FindRemainingWorkAsync(cancellationToken) is { } unrest)
        {
            if (time.GetElapsedTime(began) > plan.IdleTimeout)
            {
                throw new BenchException($"Not at rest: after {plan.IdleTimeout.TotalSeconds:0} s without a fault, {unrest}");
            }

            await Task.Delay(Step, time, cancellationToken);
        }
    }

    /// <returns>All that is broken, in words; empty when every promise was kept.</returns>
    /// <exception cref="BenchException">A server does not answer, though nothing ails it.</exception>
    public async Task<IReadOnlyList<string>> VerifyAsync(IReadOnlyCollection<AcceptedTask> accepted, CancellationToken cancellationToken)
    {
        var broken = new List<string>();
        var balances = Enumerable.Repeat(ChaosPlan.InitialBalance, ChaosPlan.Accounts).ToArray();
        await System.Threading.Tasks.Parallel.ForEachAsync(
            accepted,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (task, cancellation) =>
            {
                var state = (string?)(await FindAsync(task, cancellation))?["state"];
                lock (broken)
                {
                    Done += state == "done" ? 1 : 0;
                    Dead += state == "dead" ? 1 : 0;
                    balances[task.Account] += state == "done" ? task.Amount ?? 0 : 0;
                    if (state is not ("done" or "dead"))
                    {
                        broken.Add($"Lost: {task.Id}, accepted by {ChaosPlan.ServerId(task.Server)}, is {state ?? "not known"}.");
                    }
                }
            });
        for (var account = 0; account < ChaosPlan.Accounts; account++)
        {
            var balance = (decimal?)(await GetOrThrowAsync(0, $"/accounts/{ChaosPlan.Account(account)}", cancellationToken))?["balance"];
            if (balance != balances[account])
            {
                broken.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Not once: {ChaosPlan.Account(account)} holds {balance}; its updates that are done make {balances[account]}."));
            }
        }

        return broken;
    }

    private async Task<string?> FindRemainingWorkAsync(CancellationToken cancellationToken)
    {
        for (var server = 0; server < plan.Servers; server++)
        {
            try
            {
                if (await GetAsync(server, "/status", cancellationToken) is not { } status)
                {
                    return $"{ChaosPlan.ServerId(server)} has no status";
                }

                if (FindRemainingWork(status, plan.WorkersOf(server).ToHashSet()) is { } unrest)
                {
                    return $"{ChaosPlan.ServerId(server)}: {unrest}";
                }
            }
            catch (Exception exception) when (ChaosLoad.IsUnavailable(exception) && !cancellationToken.IsCancellationRequested)
            {
                return $"{ChaosPlan.ServerId(server)} does not answer: {exception.Message}";
            }
        }

        return null;
    }

    /// <param name="status">A server's GET /status.</param>
    /// <param name="own">The workers whose home it is.</param>
    internal static string? FindRemainingWork(JsonNode status, IReadOnlySet<string> own)
    {
        var (queue, running) = ((int)status["queue"]!, (int)status["running"]!);
        if (queue + running > 0)
        {
            return $"{queue} tasks wait and {running} run";
        }

        if (status["loans"]!.AsArray() is { Count: > 0 } loans)
        {
            return $"a loan is open: {loans[0]!.ToJsonString()}";
        }

        var workers = status["workers"]!.AsArray().ToDictionary(worker => (string)worker!["id"]!, worker => (string)worker!["state"]!);
        return own.FirstOrDefault(worker => workers.GetValueOrDefault(worker) is not ("idle" or "setAside")) is { } away ? $"{away} is {workers.GetValueOrDefault(away) ?? "not there"}"
            : workers.FirstOrDefault(worker => !own.Contains(worker.Key) && worker.Value != "gone") is { Key: { } guest, Value: var state } ? $"{guest} is still here, {state}"
            : null;
    }

    // Whoever adopted the tasks of a server that was away for long answers for them.
    private async Task<JsonNode?> FindAsync(AcceptedTask task, CancellationToken cancellationToken)
    {
        foreach (var server in Enumerable.Range(0, plan.Servers).OrderBy(server => server != task.Server))
        {
            if (await GetOrThrowAsync(server, $"/tasks/{task.Id}", cancellationToken) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private async Task<JsonNode?> GetOrThrowAsync(int server, string path, CancellationToken cancellationToken)
    {
        try
        {
            return await GetAsync(server, path, cancellationToken);
        }
        catch (Exception exception) when (ChaosLoad.IsUnavailable(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw new BenchException($"No answer: {ChaosPlan.ServerId(server)} was at rest, and now GET {path} fails: {exception.Message}", exception);
        }
    }

    private async Task<JsonNode?> GetAsync(int server, string path, CancellationToken cancellationToken)
    {
        using var answer = await mesh.Http[server].GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        answer.EnsureSuccessStatusCode();
        return JsonNode.Parse(await answer.Content.ReadAsStreamAsync(cancellationToken));
    }
}
