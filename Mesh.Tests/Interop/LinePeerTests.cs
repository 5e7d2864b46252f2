using System.Text.Json.Nodes;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;

namespace Mesh.Tests.Interop;

/// <summary>Nodes of other implementations, scripted from docs/protocol.md, in one mesh with ours.</summary>
[Trait("Speed", "Slow")]
public sealed class LinePeerTests(RedisFixture redis)
{
    private readonly string _ours = RedisFixture.Unique("server-a");
    private readonly string _theirs = RedisFixture.Unique("SERVER_2");
    private readonly int _port = RedisProcess.FreePort();
    private readonly int _theirPort = RedisProcess.FreePort();

    [Fact]
    public async Task LineWorker_AtOurServer_GetsQueriesAloneAndItsAcks()
    {
        await using var server = await MeshProcess.ServerAsync(redis, _ours, _port);
        await server.SubmitAsync(
            new { type = "UPDATE", user = "x", amount = 1 }, new { type = "QUERY", user = "x" }, new { type = "QUERY", user = "y" });
        await using var worker = new LineWorker("WORKER_py", _ours, "127.0.0.1", _port);

        await server.StatusAsync("both queries are done", status => (int)status["done"]! == 2);
        Assert.Equal([$"QUERY at {_port}", "ACK", $"QUERY at {_port}", "ACK"], worker.Story);
        Assert.Equal(1, (int)(await server.StatusAsync())["queue"]!);
    }

    [Fact]
    public async Task LineServer_IsDetectedAndItsHeartbeatsAreAnswered()
    {
        await using var theirs = new LineServer(_theirs, _theirPort);
        await using var ours = await MeshProcess.ServerAsync(redis, _ours, _port, [(_theirs, _theirPort)]);
        await ours.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!);

        var reply = await theirs.AskAsync(_port, new JsonObject { ["SERVER_UUID"] = _theirs, ["TASK"] = "HEARTBEAT" });
        Assert.Equal((_ours, "HEARTBEAT", "ALIVE"), ((string)reply!["SERVER_UUID"]!, (string)reply["TASK"]!, (string)reply["RESPONSE"]!));
        Assert.Contains(theirs.HeardTask("HEARTBEAT"), heartbeat => (string)heartbeat["SERVER_UUID"]! == _ours);
    }

    [Fact]
    public async Task LineServer_LendsUsItsWorker_AndGetsItBack()
    {
        await using var theirs = new LineServer(_theirs, _theirPort);
        await using var ours = await MeshProcess.ServerAsync(redis, _ours, _port, [(_theirs, _theirPort)]);
        await using var worker = new LineWorker("WORKER_py", _theirs, "127.0.0.1", _theirPort);
        await Eventually.HoldsAsync("their worker is at home", () => theirs.Workers.ContainsKey("WORKER_py"));
        await ours.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!);

        await ours.SubmitAsync([.. Enumerable.Range(0, 20).Select(i => (object)new { type = "QUERY", user = $"u{i}" })]);
        await ours.StatusAsync("all tasks are done", status => (int)status["done"]! == 20);
        await Eventually.HoldsAsync("the worker has its RETURN", () => worker.Story.Contains("RETURN"), details: () => string.Join('\n', worker.Story) + ours.Output);
        Assert.Equal($"REDIRECT to {_port}", worker.Story.First());
        Assert.DoesNotContain(worker.Story, step => step.StartsWith("stalled", StringComparison.Ordinal) || step.StartsWith("RETURN to", StringComparison.Ordinal));
        Assert.Equal("WORKER_py", (string)theirs.HeardTask("COMMAND_RELEASE").First()["WORKERS_UUID"]![0]!);

        await theirs.AskAsync(_port, Completed("WORKER_py"));
        await ours.StatusAsync("the loan is over", status => !MeshTests.Loans(status).Any());
        theirs.Workers.Clear();
        await Eventually.HoldsAsync("the worker is at home again", () => theirs.Workers.TryGetValue("WORKER_py", out var home) && home is null);
    }

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task LineServer_BorrowsOurWorker_AndGivesItBack(string transport)
    {
        await using var theirs = new LineServer(_theirs, _theirPort);
        await using var ours = await MeshProcess.ServerAsync(redis, _ours, _port, [(_theirs, _theirPort)]);
        var settings = new Dictionary<string, string> { ["Transport"] = transport, ["Concurrency"] = "2" };
        await using var one = await MeshProcess.WorkerAsync(redis, "w1", ours, settings);
        await using var two = await MeshProcess.WorkerAsync(redis, "w2", ours, settings);
        await ours.StatusAsync("both workers are there", status => MeshTests.Workers(status).Count() == 2, one, two);
        await ours.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!);

        theirs.Tasks.Enqueue("maria");
        theirs.Tasks.Enqueue("joao");
        var available = await theirs.RequestWorkerAsync(_port);
        Assert.Equal(("AVAILABLE", _ours), ((string?)available!["RESPONSE"], (string?)available["SERVER_UUID"]));
        var worker = (string)Assert.Single(available["WORKERS_UUID"]!.AsArray())!;
        await Eventually.HoldsAsync(
            "the worker came and did their tasks", () => theirs.Workers.GetValueOrDefault(worker) == _ours && theirs.Done >= 2, details: () => one.Output + two.Output);

        var ack = await theirs.ReleaseAsync(_port, worker);
        Assert.Equal(("RELEASE_ACK", worker), ((string?)ack!["RESPONSE"], (string?)ack["WORKERS_UUID"]![0]));
        theirs.Orders[worker] = new JsonObject { ["TASK"] = "RETURN", ["SERVER_RETURN"] = new JsonObject { ["ip"] = "127.0.0.1", ["port"] = _port } };
        await ours.StatusAsync("the worker is home", status => !MeshTests.Loans(status).Any(), one, two);
        await Eventually.HoldsAsync(
            "RELEASE_COMPLETED", () => theirs.Heard.Any(message => (string?)message["RESPONSE"] == "RELEASE_COMPLETED" && (string?)message["WORKERS_UUID"]![0] == worker));
    }

    [Fact]
    public async Task LineServer_PromisesDeadWorker_LoanExpires()
    {
        await using var theirs = new LineServer(_theirs, _theirPort);
        theirs.Lendable.Enqueue("WORKER_dead");
        await using var ours = await MeshProcess.ServerAsync(
            redis, _ours, _port, [(_theirs, _theirPort)], new() { ["Loans__ArrivalTimeout"] = "00:00:01" });
        await ours.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!);
        var ids = await ours.SubmitAsync([.. Enumerable.Range(0, 20).Select(i => (object)new { type = "QUERY", user = $"u{i}" })]);
        await Eventually.HoldsAsync(
            "the dead worker is given back", () => theirs.HeardTask("COMMAND_RELEASE").Any(release => (string?)release["WORKERS_UUID"]![0] == "WORKER_dead"));
        var over = await ours.StatusAsync("the loan is over", status => !MeshTests.Loans(status).Any());
        Assert.Equal((20, 0), ((int)over["queue"]!, (int)over["running"]!));
        Assert.Equal(0, (int)(await ours.GetAsync($"/tasks/{ids[0]}"))["attempts"]!);
    }

    private JsonObject Completed(string worker) =>
        new() { ["SERVER_UUID"] = _theirs, ["RESPONSE"] = "RELEASE_COMPLETED", ["WORKERS_UUID"] = new JsonArray(worker) };
}
