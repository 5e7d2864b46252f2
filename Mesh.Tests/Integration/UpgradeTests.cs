using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>
/// docs/operations.md, "Upgrades": servers and workers of the previous version and of this one in one mesh. MESH_PREVIOUS names a directory with the programs of the previous
/// version in the folders Mesh.Server and Mesh.Worker, as eng/previous builds it.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class UpgradeTests(RedisFixture redis)
{
    private const int Tasks = 600;

    private static readonly string? Previous = Environment.GetEnvironmentVariable("MESH_PREVIOUS");

    [Fact]
    public async Task Servers_ReplacedOneByOne_LoseNoTaskAndLendMeanwhile()
    {
        Assert.SkipUnless(Previous is not null, "MESH_PREVIOUS names no programs of a previous version.");
        var (idA, idB, user) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"), RedisFixture.Unique("maria"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var oldA = await ServerAsync(old: true, idA, portA, idB, portB);
        await using var oldB = await ServerAsync(old: true, idB, portB, idA, portA);
        var slow = new Dictionary<string, string> { ["WorkTime"] = "00:00:00.050" };
        var connection = await redis.ConnectionStringAsync();
        await using var first = MeshProcess.Worker(connection, RedisFixture.Unique("w"), idB, portB, slow, program: Old("Mesh.Worker"));
        await using var second = MeshProcess.Worker(connection, RedisFixture.Unique("w"), idB, portB, slow, program: Old("Mesh.Worker"));
        await using var own = MeshProcess.Worker(connection, RedisFixture.Unique("w"), idA, portA, slow, program: Old("Mesh.Worker"));
        await oldA.SetBalanceAsync(user, 0);
        await oldA.SubmitAsync([.. Enumerable.Range(0, Tasks).Select(_ => (object)new { type = "UPDATE", user, amount = 1 })]);
        await oldA.StatusAsync("a worker is borrowed", HasArrived, oldB, first, second);

        // Mixed: a new borrower with an old owner and old workers.
        Assert.Equal(0, await oldA.StopAsync());
        await using var newA = await ServerAsync(old: false, idA, portA, idB, portB);
        await newA.StatusAsync("a worker of the old version works for the new server", HasArrived, oldB, first, second);

        // Mixed the other way: the owner is new, the workers are old.
        Assert.Equal(0, await oldB.StopAsync());
        await using var newB = await ServerAsync(old: false, idB, portB, idA, portA);
        await newA.StatusAsync("all tasks are done", status => (int)status["done"]! == Tasks, newB, first, second, own);
        Assert.Equal(Tasks, await newA.BalanceAsync(user));
        await newB.StatusAsync("all workers are home", status => status["loans"]!.AsArray().Count == 0, newA, first, second);

        static bool HasArrived(System.Text.Json.Nodes.JsonNode status) => status["loans"]!.AsArray().Any(loan => (string)loan!["state"]! == "arrived");
    }

    private async Task<MeshProcess> ServerAsync(bool old, string id, int port, string peer, int peerPort)
    {
        var server = MeshProcess.StartServer(await redis.ConnectionStringAsync(), id, port, [(peer, peerPort)], program: old ? Old("Mesh.Server") : null);
        await server.HealthyAsync();
        return server;
    }

    private static string Old(string name) => Path.Combine(Previous!, name, $"{name}.dll");
}
