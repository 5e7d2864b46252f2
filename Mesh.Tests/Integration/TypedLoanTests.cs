using System.Text.Json;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Worker;

namespace Mesh.Tests.Integration;

/// <summary>A loan for tasks of a type that only one worker of a peer handles, with servers as processes.</summary>
[Trait("Speed", "Slow")]
public sealed class TypedLoanTests(RedisFixture redis)
{
    [Theory]
    [InlineData("WebSocket")]
    [InlineData("Tcp")]
    public async Task Tasks_OfATypeThatOneWorkerOfThePeerHandles_AreDoneByThatWorker(string transport)
    {
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)]);
        await using var owner = await MeshProcess.ServerAsync(redis, b, portB, [(a, portA)], new() { ["Balancing__MinWorkersBeforeSharing"] = "0" });
        await using var own = await MeshProcess.WorkerAsync(redis, "own", borrower);
        await using var general = await MeshProcess.WorkerAsync(redis, "general", owner);
        await using var resizer = await WorkerHost.StartAsync(
            $"127.0.0.1:{portB}", handlers => handlers.AddHandler<JsonElement, JsonElement>("RESIZE", (payload, _) => Task.FromResult(payload)), ("Mesh:WorkerId", "resizer"), ("Mesh:HomeServer:Id", b), ("Mesh:Transport", transport));
        await owner.StatusAsync("both workers are there", status => MeshTests.Workers(status).Count() == 2, borrower, own, general);
        await borrower.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, owner);

        var ids = await borrower.SubmitAsync([.. Enumerable.Range(0, 5).Select(width => (object)new { type = "RESIZE", payload = new { width } })]);
        await borrower.StatusAsync("all tasks are done", status => (int)status["done"]! == ids.Length, owner, own, general);
        foreach (var id in ids)
        {
            Assert.Equal("resizer", (string?)(await borrower.GetAsync($"/tasks/{id}"))["worker"]);
        }

        await owner.StatusAsync(
            "both workers are home again",
            status => !MeshTests.Loans(status).Any() && MeshTests.Workers(status).Count(worker => (string)worker["state"]! == "idle") == 2,
            borrower,
            own,
            general);
        await borrower.StatusAsync("no loan is left", status => !MeshTests.Loans(status).Any(), owner);
        await LogsAsync(borrower, $"Borrowed from {b}: resizer.");
        await LogsAsync(owner, $"Lending resizer to {a}.");
        Assert.DoesNotContain("general", borrower.Everything, StringComparison.Ordinal);
    }

    private static Task LogsAsync(MeshProcess server, string text) =>
        Eventually.HoldsAsync($"the log line \"{text}\"", () => server.Everything.Contains(text, StringComparison.Ordinal), details: () => server.Everything);
}
