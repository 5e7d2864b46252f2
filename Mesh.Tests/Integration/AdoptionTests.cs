using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>A server that stays dead: a peer that shares its Redis serves its tasks until it has been started again.</summary>
[Trait("Speed", "Slow")]
public sealed partial class AdoptionTests(RedisFixture redis)
{
    private const int Tasks = 200;

    [Fact]
    public async Task Server_StaysDead_PeerCompletesItsTasksUntilItReturns()
    {
        await using var mesh = await StartAsync("00:00:00.010");
        var nobody = (await mesh.Dead.SubmitAsync(new { type = "QUERY", user = RedisFixture.Unique("nobody") }))[0];
        var ids = await mesh.SubmitAsync();
        await mesh.Dead.StatusAsync("it has a dead letter", status => (int)status["dead"]! == 1, mesh.All);
        var before = (int)(await mesh.Dead.StatusAsync())["done"]!;
        Assert.InRange(before, 0, Tasks - 1);

        mesh.Dead.Kill();
        await mesh.Peer.StatusAsync("the peer has finished what was left", status => Adopted(status) is { } adopted
            && (string)adopted["server"]! == mesh.Dead.Id && (int)adopted["tasks"]! == 0 && (int)adopted["done"]! > 0, mesh.All);
        Assert.Equal(Tasks, await mesh.BalanceAsync(mesh.Peer));
        Assert.Equal("done", (string)(await mesh.Peer.GetAsync($"/tasks/{ids[^1]}"))["state"]!);
        await IsLoggedAsync(mesh.Peer, "unsettled tasks and 1 dead letters are adopted by this server");

        // Its dead letters are listed at the peer, where they can be retried.
        Assert.Equal(nobody, (string)Assert.Single((await mesh.Peer.GetAsync("/tasks?state=dead")).AsArray())!["id"]!);
        using (var retry = await mesh.Peer.Http.PostAsJsonAsync(new Uri($"/tasks/{nobody}/retry", UriKind.Relative), "", TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.Accepted, retry.StatusCode);
        }

        await mesh.Dead.RestartAsync();
        await mesh.Dead.HealthyAsync();
        await mesh.Peer.StatusAsync("the peer has given it back", status => Adopted(status) is null, mesh.All);
        await mesh.Dead.StatusAsync("it knows what was done", status => (int)status["done"]! == Tasks && (int)status["dead"]! == 1, mesh.All);
        Assert.Equal("done", (string)(await mesh.Dead.GetAsync($"/tasks/{ids[0]}"))["state"]!);
        await mesh.SubmitAsync();
        await mesh.Dead.StatusAsync("it serves again", status => (int)status["done"]! == 2 * Tasks, mesh.All);
        Assert.Equal(2 * Tasks, await mesh.BalanceAsync(mesh.Dead));
    }

    [Fact]
    public async Task Server_ReturnsDuringItsAdoption_GetsItsTasksBack()
    {
        await using var mesh = await StartAsync("00:00:01");
        await mesh.SubmitAsync();

        mesh.Dead.Kill();
        await mesh.Peer.StatusAsync("the peer has begun", status => Adopted(status) is { } adopted && (int)adopted["done"]! > 3, mesh.All);
        await mesh.Dead.RestartAsync();
        await mesh.Dead.HealthyAsync();

        await mesh.Dead.StatusAsync("all is done", status => (int)status["done"]! == Tasks && (int)status["queue"]! + (int)status["running"]! == 0, mesh.All);
        Assert.Equal(Tasks, await mesh.BalanceAsync(mesh.Dead));
        var peer = await mesh.Peer.StatusAsync("the peer has given it back", status => Adopted(status) is null, mesh.All);
        Assert.Equal((0, 0, 0), ((int)peer["queue"]!, (int)peer["done"]!, (int)peer["dead"]!));
        await IsLoggedAsync(mesh.Peer, "The adoption of ");
        var done = int.Parse(DoneForIt().Match(mesh.Peer.Everything).Groups["done"].ValueSpan, CultureInfo.InvariantCulture);
        Assert.InRange(done, 4, Tasks - 1);
    }

    [GeneratedRegex("The adoption of .+ has ended. (?<done>[0-9]+) of its tasks were done here")]
    private static partial Regex DoneForIt();

    // A process's lines arrive through a pipe, later than the answers of its HTTP API.
    private static Task IsLoggedAsync(MeshProcess server, string text) =>
        Eventually.HoldsAsync($"the log has \"{text}\"", () => server.Everything.Contains(text, StringComparison.Ordinal), details: () => server.Output);

    private static JsonNode? Adopted(JsonNode status) => status["adopted"]!.AsArray().SingleOrDefault();

    /// <param name="workTime">Of the peer's worker.</param>
    private async Task<Pair> StartAsync(string workTime)
    {
        var (dead, peer) = (RedisFixture.Unique("server"), RedisFixture.Unique("server"));
        var (deadPort, peerPort) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        var settings = new Dictionary<string, string>
        {
            ["Adoption__After"] = "00:00:01",
            ["Timing__HeartbeatRetries"] = "0",
            ["Timing__HeartbeatRetryDelay"] = "00:00:00.200",
            ["Timing__HeartbeatMaxDelay"] = "00:00:01",
            ["Tasks__MaxAttempts"] = "1",
            ["Balancing__MaxQueueThreshold"] = "10000",
        };
        var mesh = new Pair(
            await MeshProcess.ServerAsync(redis, dead, deadPort, [(peer, peerPort)], settings),
            await MeshProcess.ServerAsync(redis, peer, peerPort, [(dead, deadPort)], settings),
            await MeshProcess.WorkerAsync(redis, "slow", dead, deadPort, new() { ["WorkTime"] = "00:00:00.025" }),
            await MeshProcess.WorkerAsync(redis, "fast", peer, peerPort, new() { ["WorkTime"] = workTime, ["Concurrency"] = "4" }));
        await mesh.Peer.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, mesh.All);
        await mesh.Dead.SetBalanceAsync(mesh.User, 0);
        return mesh;
    }

    private sealed record Pair(MeshProcess Dead, MeshProcess Peer, MeshProcess Slow, MeshProcess Fast) : IAsyncDisposable
    {
        public string User { get; } = RedisFixture.Unique("maria");

        public MeshProcess[] All => [Dead, Peer, Slow, Fast];

        public Task<string[]> SubmitAsync() => Dead.SubmitAsync([.. Enumerable.Range(0, Tasks).Select(_ => (object)new { type = "UPDATE", user = User, amount = 1 })]);

        public Task<decimal> BalanceAsync(MeshProcess server) => server.BalanceAsync(User);

        public async ValueTask DisposeAsync()
        {
            foreach (var process in All)
            {
                await process.DisposeAsync();
            }
        }
    }
}
