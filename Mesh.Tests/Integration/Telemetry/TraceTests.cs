using System.Text.Json.Nodes;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration.Telemetry.Otlp;
using Mesh.Tests.Interop;

namespace Mesh.Tests.Integration.Telemetry;

/// <summary>The spans and logs that real processes export.</summary>
[Trait("Speed", "Slow")]
public sealed class TraceTests(RedisFixture redis)
{
    [Fact]
    public async Task Task_OverServerAndWorker_IsOneTrace()
    {
        await using var receiver = await SpanReceiver.StartAsync();
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), environment: receiver.Environment("server"));
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, environment: receiver.Environment("worker"));
        var id = (await server.SubmitAsync(new { type = "QUERY", user = "nobody" }, new { type = "QUERY", user = "nobody" }))[0];
        await server.StatusAsync("both tasks are dead", status => (int)status["dead"]! == 2, worker);

        var trace = await Traces.FindAsync(receiver, await TraceIdAsync(server, id), spans: 16);
        Assert.Equal(
            """
            submit QUERY (server) ->
              dispatch QUERY (server)
                process QUERY (worker) !
                  GET (worker)
                  settle QUERY (server) !
              dispatch QUERY (server) ->
                process QUERY (worker) !
                  GET (worker)
                  settle QUERY (server) !
              dispatch QUERY (server) ->
                process QUERY (worker) !
                  GET (worker)
                  settle QUERY (server) !
              queue QUERY (server)
              queue QUERY (server)
              queue QUERY (server)
            """,
            Traces.Tree(trace));
        var command = trace.Spans.First(span => span.Name == "GET");
        Assert.Equal(SpanKind.Client, command.Kind);
        Assert.Equal(
            ["db.redis.database_index", "db.statement", "db.system", "network.peer.address", "network.peer.port", "server.address", "server.port"],
            command.Attributes.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Task_RestartAndManualRetry_ContinuesItsTrace()
    {
        await using var receiver = await SpanReceiver.StartAsync();
        await using var server = await MeshProcess.ServerAsync(
            redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), settings: new() { ["Tasks__MaxAttempts"] = "1" }, environment: receiver.Environment("server"));
        var user = RedisFixture.Unique("late");
        var id = (await server.SubmitAsync(new { type = "QUERY", user }, new { type = "QUERY", user }))[0];
        var traceId = await TraceIdAsync(server, id);
        await Traces.FindAsync(receiver, traceId, spans: 1);
        server.Kill();
        await server.RestartAsync();
        await server.HealthyAsync();

        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, environment: receiver.Environment("worker"));
        await server.StatusAsync("both tasks are dead", status => (int)status["dead"]! == 2, worker);
        await server.SetBalanceAsync(user, 1);
        using var retried = await server.Http.PostAsync(new Uri($"/tasks/{id}/retry", UriKind.Relative), null, TestContext.Current.CancellationToken);
        retried.EnsureSuccessStatusCode();

        Assert.Equal(
            """
            submit QUERY (server) ->
              dispatch QUERY (server)
                process QUERY (worker) !
                  GET (worker)
                  settle QUERY (server) !
              dispatch QUERY (server) ->
                process QUERY (worker)
                  GET (worker)
                  settle QUERY (server)
              queue QUERY (server)
              queue QUERY (server)
            """,
            Traces.Tree(await Traces.FindAsync(receiver, traceId, spans: 11)));
    }

    [Fact]
    public async Task Request_ReadsTheStore_HasCommandSpansAsChildren()
    {
        await using var receiver = await SpanReceiver.StartAsync();
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), environment: receiver.Environment("server"));
        await server.SetBalanceAsync(RedisFixture.Unique("maria"), 1);
        var trace = await Traces.FindAsync(receiver, "PUT /accounts/{user}", spans: 2);
        var (request, command) = (trace.Spans.Single(span => span.Name == "PUT /accounts/{user}"), trace.Spans.Single(span => span.Name == "EVAL"));
        Assert.Equal((request.Id, SpanKind.Client), (command.Parent, command.Kind));
        Assert.DoesNotContain(receiver.Traces, other => other.Spans.Any(span => span.Name == "GET /health"));
    }

    [Fact]
    public async Task Loan_OverBothServersAndWorker_IsOneTraceAndItsReturnIsLinked()
    {
        await using var receiver = await SpanReceiver.StartAsync();
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)], environment: receiver.Environment("borrower"));
        await using var owner = await MeshProcess.ServerAsync(redis, b, portB, [(a, portA)], environment: receiver.Environment("owner"));
        var slow = new Dictionary<string, string> { ["WorkTime"] = "00:00:00.050" };
        await using var one = await MeshProcess.WorkerAsync(redis, "w1", owner, slow, receiver.Environment("worker"));
        await using var two = await MeshProcess.WorkerAsync(redis, "w2", owner, slow, receiver.Environment("worker"));
        await owner.StatusAsync("both workers are there", status => MeshTests.Workers(status).Count() == 2, one, two);
        await borrower.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, owner);

        await borrower.SubmitAsync([.. Enumerable.Range(0, 20).Select(_ => (object)new { type = "QUERY", user = "x" })]);
        await borrower.StatusAsync("all tasks are settled", status => (int)status["dead"]! == 20, owner, one, two);
        await borrower.StatusAsync("no loan is left", status => !MeshTests.Loans(status).Any(), owner, one, two);

        // On a slow machine there may be further loans whose worker arrives when no task is left.
        var loan = await Traces.FindAsync(receiver, "first task", spans: 5);
        Assert.Equal(
            """
            request workers (borrower)
              first task (borrower) ->
              join borrower (worker)
                worker arrives (borrower)
              lend worker (owner)
            """,
            Traces.Tree(loan));
        Assert.Equal("QUERY", loan.Spans.Single(span => span.Name == "request workers").Attributes["mesh.task.types"]);
        var back = await Traces.FindLinkedAsync(receiver, "release workers", loan.Id, spans: 4);
        Assert.Equal(
            """
            release workers (borrower) ->
              go home (worker)
                worker comes home (owner)
              loan completed (borrower)
            """,
            Traces.Tree(back));
        await TellsAsync(receiver, loan.Id, "borrower: ", ["Requesting", "is expected from", "has arrived", "has its first task"]);
        await TellsAsync(receiver, loan.Id, "owner: ", ["is offered to", "is redirected to"]);
        await TellsAsync(receiver, loan.Id, "worker: ", ["is lent by", "works for"]);
        await TellsAsync(receiver, back.Id, "borrower: ", ["to accept the return of", "has acknowledged the release of", "is returning to", "has ended"]);
        await TellsAsync(receiver, back.Id, "owner: ", ["has released", "has ended", "have returned"]);
        await TellsAsync(receiver, back.Id, "worker: ", ["is sent home", "is at home"]);
    }

    [Fact]
    public async Task Loan_PeerWithoutTraceContext_HasCompleteOwnTrace()
    {
        await using var receiver = await SpanReceiver.StartAsync();
        await using var theirs = new LineServer(RedisFixture.Unique("SERVER_2"), RedisProcess.FreePort());
        await using var ours = await MeshProcess.ServerAsync(
            redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), [(theirs.Id, theirs.Port)], new() { ["Balancing__MinWorkersBeforeSharing"] = "0" }, receiver.Environment("server"));
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", ours, environment: receiver.Environment("worker"));
        await ours.StatusAsync("the worker is there", status => MeshTests.Workers(status).Any(), worker);
        await ours.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!);

        Assert.Equal("AVAILABLE", (string?)(await theirs.RequestWorkerAsync(ours.Port))!["RESPONSE"]);
        await Eventually.HoldsAsync("the worker came", () => theirs.Workers.ContainsKey("w1"), details: () => worker.Output);
        await theirs.ReleaseAsync(ours.Port, "w1");
        theirs.Orders["w1"] = new JsonObject { ["TASK"] = "RETURN", ["SERVER_RETURN"] = new JsonObject { ["ip"] = "127.0.0.1", ["port"] = ours.Port } };
        await ours.StatusAsync("the worker is home", status => !MeshTests.Loans(status).Any(), worker);

        Assert.Equal(
            """
            request workers (server)
              join borrower (worker)
              lend worker (server)
            """,
            Traces.Tree(await Traces.FindAsync(receiver, "lend worker", spans: 3)));
        Assert.Equal(
            """
            release workers (server)
              worker comes home (server)
            """,
            Traces.Tree(await Traces.FindAsync(receiver, "worker comes home", spans: 2)));
    }

    [Fact]
    public async Task Messages_AtDebug_AreLoggedOnBothSidesInTheirTrace()
    {
        await using var receiver = await SpanReceiver.StartAsync();
        Dictionary<string, string> Talkative(string name) => new(receiver.Environment(name)) { ["Logging__LogLevel__Mesh.Messages"] = "Debug" };
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), environment: Talkative("server"));
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, environment: Talkative("worker"));
        var user = RedisFixture.Unique("maria");
        await server.SetBalanceAsync(user, 1);
        var id = (await server.SubmitAsync(new { type = "QUERY", user }, new { type = "QUERY", user }))[0];
        await server.StatusAsync("both tasks are done", status => (int)status["done"]! == 2, worker);

        var trace = await TraceIdAsync(server, id);
        await TellsAsync(receiver, trace, "server: ", ["Sent new_task to 127.0.0.1", "Received task_status from 127.0.0.1", $"Sent ack to 127.0.0.1", $"trace {trace}"]);
        await TellsAsync(receiver, trace, "worker: ", [$"Received new_task from {server.Id}", $"Sent task_status to {server.Id}", $"Received ack from {server.Id}"]);
        await Eventually.HoldsAsync(
            "a get_task without a trace", () => receiver.Logs.Any(line => line.Trace.Length == 0 && line.Text.Contains("Received get_task", StringComparison.Ordinal)));
    }

    /// <summary>Waits until each of the texts is in a record of that trace and service.</summary>
    private static Task TellsAsync(SpanReceiver receiver, string trace, string service, string[] texts)
    {
        string[] Told() => [.. receiver.Logs.Where(line => line.Trace == trace).Select(line => $"{line.Service}: {line.Text}")];
        return Eventually.HoldsAsync(
            $"records of {service} in trace {trace} with {string.Join(", ", texts)}",
            () => Told() is var told && texts.All(text => told.Any(record => record.StartsWith(service, StringComparison.Ordinal) && record.Contains(text, StringComparison.Ordinal))),
            details: () => string.Join('\n', Told()));
    }

    private static async Task<string> TraceIdAsync(MeshProcess server, string task) => (string)(await server.GetAsync($"/tasks/{task}"))["traceId"]!;
}
