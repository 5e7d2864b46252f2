using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>A task that a server has accepted.</summary>
/// <param name="Id">The idempotency key, which is also the task's id.</param>
/// <param name="Amount">The amount of an UPDATE; null for a QUERY.</param>
internal readonly record struct AcceptedTask(string Id, int Server, int Account, decimal? Amount);

/// <summary>
/// Submits waves of tasks, most of them to the first server. The outcome of a submission without an answer is unknown, so it is repeated with the same keys until the
/// server answers.
/// </summary>
internal sealed class ChaosLoad(ChaosMesh mesh, ChaosPlan plan, TimeProvider time)
{
    private const int Batch = 50;
    private const double ShareOfFirst = 0.7;

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentBag<AcceptedTask> _accepted = [];
    private int _repeated;

    public IReadOnlyCollection<AcceptedTask> Accepted => _accepted;

    /// <summary>The number of submissions that were repeated after no answer, a 429 or a 503.</summary>
    public int Repeated => _repeated;

    /// <summary>Creates the accounts.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        for (var account = 0; account < ChaosPlan.Accounts; account++)
        {
            var body = new JsonObject { ["balance"] = ChaosPlan.InitialBalance }.ToJsonString();
            await SendAsync(0, HttpMethod.Put, $"/accounts/{ChaosPlan.Account(account)}", body, cancellationToken);
        }
    }

    /// <summary>Submits waves until <paramref name="enough"/> is cancelled, and returns when the last wave is accepted.</summary>
    public Task RunAsync(CancellationToken enough, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, plan.Servers).Select(server => SubmitAsync(server, enough, cancellationToken)));

    private async Task SubmitAsync(int server, CancellationToken enough, CancellationToken cancellationToken)
    {
        var random = new Random(plan.Seed + server + 1);
        var share = plan.Servers == 1 ? 1 : server == 0 ? ShareOfFirst : (1 - ShareOfFirst) / (plan.Servers - 1);
        var wave = (int)Math.Ceiling(plan.Rate * Period.TotalSeconds * share);
        var number = 0;
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            for (var left = wave; left > 0; left -= Batch)
            {
                var tasks = Enumerable.Range(0, Math.Min(left, Batch)).Select(_ => Draw(random, server, number++)).ToArray();
                await SendAsync(server, HttpMethod.Post, "/tasks", Body(tasks), cancellationToken);
                Array.ForEach(tasks, _accepted.Add);
            }
        }
        while (await TickAsync(timer, enough, cancellationToken));
    }

    private static async Task<bool> TickAsync(PeriodicTimer timer, CancellationToken enough, CancellationToken cancellationToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(enough);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static AcceptedTask Draw(Random random, int server, int number) => new(
        string.Create(CultureInfo.InvariantCulture, $"t{server}-{number}"),
        server,
        random.Next(ChaosPlan.Accounts),
        random.Next(3) == 0 ? null : random.Next(1, 100_000) / 10_000m);

    private static string Body(IEnumerable<AcceptedTask> tasks) => new JsonArray([.. tasks.Select(Node)]).ToJsonString();

    private static JsonNode Node(AcceptedTask task)
    {
        var node = new JsonObject { ["id"] = task.Id, ["type"] = task.Amount is null ? "QUERY" : "UPDATE", ["user"] = ChaosPlan.Account(task.Account) };
        if (task.Amount is { } amount)
        {
            node["amount"] = amount;
        }

        return node;
    }

    private async Task SendAsync(int server, HttpMethod method, string path, string body, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Json) };
                using var answer = await mesh.Http[server].SendAsync(request, cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }

                if (answer.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable))
                {
                    throw new BenchException(
                        $"{ChaosPlan.ServerId(server)} answered {(int)answer.StatusCode} to {method} {path}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
                }
            }
            catch (Exception exception) when (IsUnavailable(exception) && !cancellationToken.IsCancellationRequested)
            {
                // The server is down, disconnected or frozen. It may have accepted the tasks.
            }

            Interlocked.Increment(ref _repeated);
            await Task.Delay(Retry, time, cancellationToken);
        }
    }

    /// <summary>Returns whether an HTTP call failed because the server was unreachable, not because of its answer.</summary>
    internal static bool IsUnavailable(Exception exception) =>
        // A connection that is reset while it is established throws a SocketException.
        exception is HttpRequestException or TaskCanceledException or IOException or JsonException or SocketException;
}
