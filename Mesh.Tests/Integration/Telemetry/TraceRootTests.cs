using System.Net;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration.Telemetry;

/// <summary>Each trace that real processes export belongs to a task, a loan or a request. The periodic work of an idle mesh makes no trace.</summary>
[Trait("Speed", "Slow")]
public sealed class TraceRootTests(RedisFixture redis)
{
    private const int Tasks = 40;

    /// <summary>The number of heartbeats, one every 0.5 s, during which each claim, which expires after 1 s, is renewed several times.</summary>
    private const int IdleHeartbeats = 8;

    /// <summary>The names of all root spans.</summary>
    private static readonly string[] Roots =
    [
        // Tasks that are submitted as an array. One that is submitted alone belongs to the trace of its request.
        "submit QUERY", "submit UPDATE",

        // Loans and returns.
        "request workers", "release workers",

        // Requests of clients.
        "POST /tasks", "GET /tasks/{id}", "PUT /accounts/{user}", "GET /accounts/{user}",
    ];

    /// <summary>The Redis commands that belong to a trace. All others, such as the writes of a server's loop, belong to none.</summary>
    private static readonly string[] OwnedCommands =
    [
        "EVAL below process UPDATE", "GET below process QUERY", "EVAL below PUT /accounts/{user}", "GET below GET /accounts/{user}",
        "GET below GET /tasks/{id}", "HGET below GET /tasks/{id}",
    ];

    [Theory]
    [InlineData("parentbased_always_on")]
    [InlineData("always_on")]
    public async Task Traces_BusyThenIdleMesh_StartWithTaskLoanReturnOrRequest(string sampler)
    {
        await using var receiver = await SpanReceiver.StartAsync();
        Dictionary<string, string> Telemetry(string service) => new(receiver.Environment(service)) { ["OTEL_TRACES_SAMPLER"] = sampler };
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        var claim = new Dictionary<string, string> { ["Claim__Expiry"] = "00:00:01" };
        var slow = new Dictionary<string, string> { ["WorkTime"] = "00:00:00.050" };

        // The borrower and its worker start first, when their peer and their home are not available yet.
        await using var own = await MeshProcess.WorkerAsync(redis, "own", a, portA, slow, Telemetry("worker"));
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)], claim, Telemetry("borrower"));
        await borrower.StatusAsync("the worker is there", status => MeshTests.Workers(status).Any(), own);
        await using var owner = await MeshProcess.ServerAsync(redis, b, portB, [(a, portA)], claim, Telemetry("owner"));
        await using var guest = await MeshProcess.WorkerAsync(redis, "guest", owner, slow, Telemetry("worker"));
        await using var stays = await MeshProcess.WorkerAsync(redis, "stays", owner, slow, Telemetry("worker"));
        MeshProcess[] all = [borrower, owner, own, guest, stays];
        await owner.StatusAsync("both workers are there", status => MeshTests.Workers(status).Count() == 2, all);
        await borrower.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, all);

        var user = RedisFixture.Unique("maria");
        await borrower.SetBalanceAsync(user, 0);
        var alone = (await borrower.SubmitAsync(new { type = "UPDATE", user, amount = 1 })).Single();
        await Eventually.GetAsync("the task is done", () => borrower.GetAsync($"/tasks/{alone}"), task => (string)task["state"]! == "done");
        await borrower.SubmitAsync(
            [.. Enumerable.Range(0, Tasks).Select(_ => (object)new { type = "UPDATE", user, amount = 1 }), new { type = "QUERY", user = "nobody" }]);
        await borrower.StatusAsync("all tasks are settled", status => (int)status["done"]! == Tasks + 1 && (int)status["dead"]! == 1, all);
        await borrower.StatusAsync("no loan is left", status => !MeshTests.Loans(status).Any(), all);
        Assert.Equal(Tasks + 1, await borrower.BalanceAsync(user));
        foreach (var file in (string[])["/", "/map/map.js"])
        {
            using var map = await borrower.Http.GetAsync(new Uri(file, UriKind.Relative), TestContext.Current.CancellationToken);
            map.EnsureSuccessStatusCode();
        }

        await IdleAsync(borrower);
        foreach (var process in all)
        {
            // A process that stops exports what it has collected.
            Assert.Equal(0, await process.StopAsync());
        }

        var traces = receiver.Traces;
        AssertSame("roots", Roots, traces.SelectMany(Traces.Tops).Select(span => span.Name));
        AssertSame("commands", OwnedCommands, Commands(traces));
    }

    private static void AssertSame(string what, string[] expected, IEnumerable<string> seen)
    {
        var counts = seen.CountBy(name => name).ToDictionary();
        string[] unexpected = [.. counts.Where(name => !expected.Contains(name.Key)).Select(name => $"{name.Value} x {name.Key}")];
        string[] missing = [.. expected.Except(counts.Keys)];
        Assert.True(unexpected.Length == 0 && missing.Length == 0, $"Unexpected {what}: {string.Join(", ", unexpected)}. Missing: {string.Join(", ", missing)}.");
    }

    /// <summary>The commands to Redis, each with the span that it belongs to: "GET below process QUERY".</summary>
    private static IEnumerable<string> Commands(Trace[] traces) =>
        from trace in traces
        from span in trace.Spans
        where span.Attributes.GetValueOrDefault("db.system") == "redis"
        select $"{span.Name} below {trace.Spans.FirstOrDefault(parent => parent.Id == span.Parent)?.Name}";

    /// <summary>Requests the health and the state of an idle server until it has exchanged some heartbeats.</summary>
    private static async Task IdleAsync(MeshProcess server)
    {
        var heartbeats = new HashSet<string>();
        await Eventually.GetAsync(
            $"{IdleHeartbeats} heartbeats",
            async () =>
            {
                foreach (var path in new[] { "/health", "/alive", "/events" })
                {
                    using var response = await server.Http.GetAsync(
                        new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
                    Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                }

                heartbeats.Add((string)(await server.StatusAsync())["peers"]![0]!["lastSeen"]!);
                return heartbeats.Count;
            },
            count => count >= IdleHeartbeats,
            details: () => server.Output);
    }
}
