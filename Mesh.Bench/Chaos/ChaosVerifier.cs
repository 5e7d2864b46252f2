using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>Waits until the mesh is idle, then verifies the state of each accepted task and the balance of each account.</summary>
internal sealed class ChaosVerifier(ChaosMesh mesh, ChaosPlan plan, TimeProvider time)
{
    private const int Parallel = 8;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);

    public int Done { get; private set; }

    public int Dead { get; private set; }

    /// <summary>Waits until no task is open and every worker is at home.</summary>
    /// <exception cref="BenchException">The mesh is not idle within the time limit. The message names the remaining work.</exception>
    public async Task WaitUntilIdleAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (await FindRemainingWorkAsync(cancellationToken) is { } remaining)
        {
            if (time.GetElapsedTime(began) > plan.IdleTimeout)
            {
                throw new BenchException($"Not idle: {plan.IdleTimeout.TotalSeconds:0} s after the last fault, {remaining}");
            }

            await Task.Delay(Step, time, cancellationToken);
        }
    }

    /// <returns>A description of each violation; empty when there is none.</returns>
    /// <exception cref="BenchException">A server does not answer, although it has no fault.</exception>
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
                        broken.Add($"Lost: {task.Id}, accepted by {ChaosPlan.ServerId(task.Server)}, is {state ?? "unknown"}.");
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
                    $"Not applied once: {ChaosPlan.Account(account)} has {balance}; its completed updates add up to {balances[account]}."));
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

                if (FindRemainingWork(status, plan.WorkersOf(server).ToHashSet()) is { } remaining)
                {
                    return $"{ChaosPlan.ServerId(server)}: {remaining}";
                }
            }
            catch (Exception exception) when (ChaosLoad.IsUnavailable(exception) && !cancellationToken.IsCancellationRequested)
            {
                return $"{ChaosPlan.ServerId(server)} does not answer: {exception.Message}";
            }
        }

        return null;
    }

    /// <summary>Returns a description of work that is left on a server, or null when it is idle.</summary>
    /// <param name="status">The answer of the server to GET /status.</param>
    /// <param name="own">The workers whose home is this server.</param>
    internal static string? FindRemainingWork(JsonNode status, IReadOnlySet<string> own)
    {
        var (queue, running, scheduled) = ((int)status["queue"]!, (int)status["running"]!, (int)status["scheduled"]!);
        if (queue + running + scheduled > 0)
        {
            return $"{queue} tasks wait, {running} run and {scheduled} are scheduled";
        }

        if (status["loans"]!.AsArray() is { Count: > 0 } loans)
        {
            return $"a loan is open: {loans[0]!.ToJsonString()}";
        }

        var workers = status["workers"]!.AsArray().ToDictionary(worker => (string)worker!["id"]!, worker => (string)worker!["state"]!);
        return own.FirstOrDefault(worker => workers.GetValueOrDefault(worker) is not ("idle" or "setAside")) is { } away ? $"{away} is {workers.GetValueOrDefault(away) ?? "not connected"}"
            : workers.FirstOrDefault(worker => !own.Contains(worker.Key) && worker.Value != "gone") is { Key: { } guest, Value: var state } ? $"{guest} is still connected, {state}"
            : null;
    }

    // Another server may have adopted the tasks of a server that was down for long.
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
            throw new BenchException($"No answer: {ChaosPlan.ServerId(server)} was idle, and now GET {path} fails: {exception.Message}", exception);
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
