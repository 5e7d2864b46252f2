using Mesh.Tests.Dashboard;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using MeshAspire.Embedded.Dashboard.Access;
using MeshAspire.Embedded.Dashboard.Telemetry;

namespace Mesh.Tests.Telemetry;

/// <summary>The spans that real processes export, as the dashboard receives them.</summary>
public sealed class TraceTests(RedisFixture redis)
{
    [Fact]
    public async Task Task_OverServerAndWorker_IsOneTraceOfThisTree()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), environment: Otlp(dashboard, "server"));
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, environment: Otlp(dashboard, "worker"));
        var id = (await server.SubmitAsync(new { type = "QUERY", user = "nobody" }, new { type = "QUERY", user = "nobody" }))[0];
        await server.StatusAsync("both tasks are dead", status => (int)status["dead"]! == 2, worker);

        var trace = await TraceAsync(dashboard, (string)(await server.GetAsync($"/tasks/{id}"))["traceId"]!, spans: 13);
        Assert.Equal(
            """
            submit QUERY (server) ->
              dispatch QUERY (server)
                process QUERY (worker) !
                  settle QUERY (server) !
              dispatch QUERY (server) ->
                process QUERY (worker) !
                  settle QUERY (server) !
              dispatch QUERY (server) ->
                process QUERY (worker) !
                  settle QUERY (server) !
              queue QUERY (server)
              queue QUERY (server)
              queue QUERY (server)
            """,
            Tree(trace));
    }

    [Fact]
    public async Task Loan_OverBothServersAndTheWorker_IsOneTraceAndItsReturnALinkedOne()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)], environment: Otlp(dashboard, "borrower"));
        await using var owner = await MeshProcess.ServerAsync(redis, b, portB, [(a, portA)], environment: Otlp(dashboard, "owner"));
        var slow = new Dictionary<string, string> { ["WorkTime"] = "00:00:00.050" };
        await using var one = await MeshProcess.WorkerAsync(redis, "w1", owner, slow, Otlp(dashboard, "worker"));
        await using var two = await MeshProcess.WorkerAsync(redis, "w2", owner, slow, Otlp(dashboard, "worker"));
        await owner.StatusAsync("both workers are there", status => MeshTests.Workers(status).Count() == 2, one, two);
        await borrower.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, owner);

        await borrower.SubmitAsync([.. Enumerable.Range(0, 20).Select(_ => (object)new { type = "QUERY", user = "x" })]);
        await borrower.StatusAsync("all tasks are settled", status => (int)status["dead"]! == 20, owner, one, two);
        await borrower.StatusAsync("no loan is left", status => !MeshTests.Loans(status).Any(), owner, one, two);

        var loan = await FindAsync(dashboard, "worker arrives", spans: 5);
        Assert.Equal(
            """
            request workers (borrower)
              first task (borrower) ->
              join borrower (worker)
                worker arrives (borrower)
              lend worker (owner)
            """,
            Tree(loan));
        var back = await FindAsync(dashboard, "loan completed", spans: 4);
        Assert.Equal(
            """
            release workers (borrower) ->
              go home (worker)
                worker comes home (owner)
              loan completed (borrower)
            """,
            Tree(back));
        Assert.Contains(back.Spans.Single(span => span.Name == "release workers").Links, link => link.TraceId == loan.Id);
    }

    [Fact]
    public async Task ThousandTasks_LeaveNoOrphanSpan()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), environment: Otlp(dashboard, "server"));
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, new() { ["Concurrency"] = "8" }, Otlp(dashboard, "worker"));
        var user = RedisFixture.Unique("maria");
        await server.SetBalanceAsync(user, 0);
        await server.SubmitAsync([.. Enumerable.Range(0, 1000).Select(_ => (object)new { type = "UPDATE", user, amount = 1 })]);
        await server.StatusAsync("all tasks are done", status => (int)status["done"]! == 1000, worker);

        TraceView[] Tasks() => [.. dashboard.Store.Traces.Query(new TraceFilter(Text: "submit UPDATE"), 2000).Traces.Select(trace => dashboard.Store.Traces.Find(trace.Id)!)];
        await Eventually.HoldsAsync("1,000 traces of 5 spans", () => Tasks() is { Length: 1000 } tasks && tasks.All(task => task.Spans.Count == 5));
        Assert.All(Tasks(), task => Assert.All(
            task.Spans, span => Assert.True(span.Parent == default || task.Spans.Any(other => other.Id == span.Parent), $"{span.Name} has no parent")));
    }

    private static Dictionary<string, string> Otlp(DashboardUnderTest dashboard, string name) => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = dashboard.OtlpGrpc.ToString(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
        ["OTEL_EXPORTER_OTLP_HEADERS"] = $"{Gate.KeyHeader}={DashboardUnderTest.Key}",
        ["OTEL_SERVICE_NAME"] = name,
        ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        ["OTEL_BSP_MAX_QUEUE_SIZE"] = "20000",
    };

    private static Task<TraceView> TraceAsync(DashboardUnderTest dashboard, string id, int spans) => FindAsync(dashboard, id, spans);

    private static async Task<TraceView> FindAsync(DashboardUnderTest dashboard, string text, int spans)
    {
        TraceView[] Found() => [.. dashboard.Store.Traces.Query(new TraceFilter(Text: text), 10).Traces.Select(trace => dashboard.Store.Traces.Find(trace.Id)!)];
        await Eventually.HoldsAsync(
            $"a trace with \"{text}\" of {spans} spans",
            () => Found().Any(trace => trace.Spans.Count >= spans),
            details: () => string.Join("\n\n", Found().Select(Tree)));
        return Found().First(trace => trace.Spans.Count >= spans);
    }

    /// <summary>A span a line, children below their parent and sorted by name; "!" failed, "->" linked.</summary>
    private static string Tree(TraceView trace) => string.Join('\n', Lines(trace, default, 0));

    private static IEnumerable<string> Lines(TraceView trace, SpanId parent, int depth) => trace.Spans
        .Where(span => span.Parent == parent || (depth == 0 && trace.Spans.All(other => other.Id != span.Parent)))
        .OrderBy(span => span.Name, StringComparer.Ordinal).ThenBy(span => span.Start)
        .SelectMany(span => Lines(trace, span.Id, depth + 1).Prepend(
            $"{new string(' ', 2 * depth)}{span.Name} ({span.Source.Service}){(span.Failed ? " !" : "")}{(span.Links.Count > 0 ? " ->" : "")}"));
}
