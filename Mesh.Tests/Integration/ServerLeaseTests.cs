using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>Of several processes with the same id one serves.</summary>
[Trait("Speed", "Slow")]
public sealed class ServerLeaseTests(RedisFixture redis)
{
    [Fact]
    public async Task SecondServer_SameId_ExitsAndNamesTheFirst()
    {
        var id = RedisFixture.Unique("server");
        await using var first = await MeshProcess.ServerAsync(redis, id, RedisProcess.FreePort());
        await using var second = MeshProcess.StartServer(
            await redis.ConnectionStringAsync(), id, RedisProcess.FreePort(), settings: new() { ["Claim__WaitLimit"] = "00:00:01" });

        Assert.Equal(1, await second.ExitAsync());

        Assert.Contains($"Mesh__ServerId is \"{id}\", and a process already serves under that id: \"{id}\" at 127.0.0.1:{first.Port}", second.Output, StringComparison.Ordinal);
        Assert.Contains("Mesh__Claim__WaitLimit", second.Output, StringComparison.Ordinal);
        await first.SubmitAsync(new { type = "QUERY", user = "x" });
    }

    [Fact]
    public async Task SecondServer_SameId_TakesOverWhenTheFirstStops()
    {
        var id = RedisFixture.Unique("server");
        await using var first = await MeshProcess.ServerAsync(redis, id, RedisProcess.FreePort());
        await using var second = MeshProcess.StartServer(await redis.ConnectionStringAsync(), id, RedisProcess.FreePort());
        await Eventually.HoldsAsync("it waits", () => second.Output.Contains("serves under the id", StringComparison.Ordinal), details: () => second.Output);
        await first.SubmitAsync(new { type = "QUERY", user = "x" });

        Assert.Equal(0, await first.StopAsync());

        await second.HealthyAsync();
        Assert.Equal(1, (int)(await second.StatusAsync())["queue"]!);
    }

    [Fact]
    public async Task Server_SuspendedProcess_LosesLeaseAndWritesNothing()
    {
        var (id, user, connection) = (RedisFixture.Unique("server"), RedisFixture.Unique("maria"), await redis.ConnectionStringAsync());
        var expiry = new Dictionary<string, string> { ["Claim__Expiry"] = "00:00:01" };
        await using var first = await MeshProcess.ServerAsync(redis, id, RedisProcess.FreePort(), settings: expiry);
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", first, new() { ["WorkTime"] = "00:00:00.020" });
        await first.SetBalanceAsync(user, 0);
        await first.SubmitAsync([.. Enumerable.Range(0, 100).Select(_ => (object)new { type = "UPDATE", user, amount = 1 })]);
        await first.StatusAsync("it works", status => (int)status["done"]! > 3, worker);

        first.Pause();
        await using var second = MeshProcess.StartServer(connection, id, RedisProcess.FreePort(), settings: expiry);
        await second.HealthyAsync();
        var taken = await second.StatusAsync();
        first.Continue();

        Assert.Equal(1, await first.ExitAsync());
        Assert.Contains($"Another process serves as \"{id}\" now: \"{id}\" at 127.0.0.1:{second.Port}", first.Output, StringComparison.Ordinal);
        var still = await second.StatusAsync();
        Assert.Equal(((int)taken["queue"]!, (int)taken["done"]!), ((int)still["queue"]!, (int)still["done"]!));

        await using var other = await MeshProcess.WorkerAsync(redis, "w2", second, new() { ["Concurrency"] = "4" });
        await second.StatusAsync("all is done", status => (int)status["done"]! == 100, other, first);
        Assert.Equal(100m, await second.BalanceAsync(user));
    }
}
