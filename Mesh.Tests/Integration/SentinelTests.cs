using System.Globalization;
using System.Net;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;

namespace Mesh.Tests.Integration;

/// <summary>A server and a worker that find their Redis by Redis Sentinel.</summary>
[Trait("Speed", "Slow")]
public sealed class SentinelTests : IAsyncLifetime
{
    private RedisProcess _first = null!;
    private RedisProcess _second = null!;
    private SentinelProcess _sentinel = null!;
    private ConnectionMultiplexer _connection = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IServer Second => _connection.GetServers().Single();

    public async ValueTask InitializeAsync()
    {
        RedisProcess.SkipUnlessThere(RedisKind.Redis);
        _first = await RedisProcess.StartAsync(RedisKind.Redis, Stop);
        _second = await RedisProcess.StartAsync(RedisKind.Redis, Stop, "--replicaof", "127.0.0.1", _first.Port.ToString(CultureInfo.InvariantCulture));
        _connection = await ConnectionMultiplexer.ConnectAsync(_second.ConnectionString + ",allowAdmin=true");
        _sentinel = SentinelProcess.Of(_first);
    }

    public async ValueTask DisposeAsync()
    {
        if (_first is not null)
        {
            await _sentinel.DisposeAsync();
            await _connection.DisposeAsync();
            await _second.DisposeAsync();
            await _first.DisposeAsync();
        }
    }

    [Fact]
    public Task Sentinel_SwitchesToTheReplica_IsFollowed() => IsFollowedAsync(async () =>
    {
        await using var first = await ConnectionMultiplexer.ConnectAsync(_first.ConnectionString);
        var server = first.GetServers().Single();
        await _sentinel.ExecuteAsync("SENTINEL", "FAILOVER", SentinelProcess.ServiceName);
        await Eventually.HoldsAsync("the first primary is a replica", () => Role(server) == "slave");
    });

    [Fact]
    public Task Sentinel_PrimaryIsKilled_IsFollowed() => IsFollowedAsync(_first.KillAsync);

    [Fact]
    public async Task Sentinel_StartedAfterTheServer_IsWaitedFor()
    {
        await using var server = StartServer();
        await using var worker = StartWorker(server);
        await Eventually.HoldsAsync("the log says that the store is unavailable", () => server.Output.Contains("The store is unavailable", StringComparison.Ordinal), details: () => server.Output);

        await _sentinel.StartAsync(Stop);

        await server.HealthyAsync();
        await server.SetBalanceAsync("maria", 0);
        await server.SubmitAsync(Update("first"));
        await server.StatusAsync("it is done", status => (int)status["done"]! == 1, worker);
    }

    private static object Update(string id) => new { type = "UPDATE", user = "maria", amount = 1, id };

    private async Task IsFollowedAsync(Func<Task> failOver)
    {
        const int Tasks = 100;
        await _sentinel.StartAsync(Stop);
        await using var server = StartServer();
        await server.HealthyAsync();
        await using var worker = StartWorker(server);
        await server.SetBalanceAsync("maria", 0);
        await server.SubmitAsync([.. Enumerable.Range(0, Tasks).Select(i => Update($"first-{i}"))]);
        await server.StatusAsync("all is done", status => (int)status["done"]! == Tasks, worker);
        await Eventually.HoldsAsync("the replica has it all", () => (int)Second.Execute("GET", $"mesh:{{{server.Id}}}:done") == Tasks, details: () => server.Output);

        await failOver();

        // Writes that a primary accepts just before it is replaced are lost.
        await Eventually.HoldsAsync("the replica is the primary", () => Role(Second) == "master", details: () => server.Output);
        using var accepted = await Eventually.GetAsync(
            "a task is accepted by the new primary",
            () => server.PostAsync(Update("after")),
            answer => answer.StatusCode == HttpStatusCode.Accepted,
            details: () => server.Output);

        await server.StatusAsync("the worker goes on", status => (int)status["done"]! == Tasks + 1, worker);
        Assert.Equal(Tasks + 1, await server.BalanceAsync("maria"));
        Assert.Equal(1, (int)Second.Execute("EXISTS", $"mesh:{{{server.Id}}}:result:after"));
    }

    private static string? Role(IServer server)
    {
        try
        {
            return (string?)server.Execute("ROLE")[0];
        }
        catch (RedisException)
        {
            // A Redis whose role changes closes its connections.
            return null;
        }
    }

    private MeshProcess StartServer() => MeshProcess.StartServer(_sentinel.ConnectionString, "server-a", RedisProcess.FreePort());

    private MeshProcess StartWorker(MeshProcess server) => MeshProcess.Worker(_sentinel.ConnectionString, "w1", server.Id, server.Port);
}
