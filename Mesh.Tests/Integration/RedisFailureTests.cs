using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Storage;
using StackExchange.Redis;

namespace Mesh.Tests.Integration;

/// <summary>A server and a worker over a Redis that refuses writes or does not answer. The server accepts no task that it cannot store, and no task is lost or counted twice.</summary>
[Trait("Speed", "Slow")]
public sealed class RedisFailureTests : IAsyncLifetime
{
    private const int Tasks = 300;

    private RedisProcess _redis = null!;
    private ConnectionMultiplexer _connection = null!;

    private IServer Redis => _connection.GetServers().Single();

    public async ValueTask InitializeAsync()
    {
        // Garnet supports neither maxmemory nor CLIENT PAUSE.
        RedisProcess.SkipUnlessThere(RedisKind.Redis);
        _redis = await RedisProcess.StartAsync(RedisKind.Redis, TestContext.Current.CancellationToken);
        _connection = await ConnectionMultiplexer.ConnectAsync(_redis.ConnectionString + ",allowAdmin=true");
    }

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            await _connection.DisposeAsync();
            await _redis.DisposeAsync();
        }
    }

    [Fact]
    public Task Redis_OutOfMemory_TasksResumeAfterRecovery() => WaitsOutAsync(
        () => Redis.ConfigSetAsync("maxmemory", "1"), () => Redis.ConfigSetAsync("maxmemory", "0"), "Redis is full: it has reached maxmemory and evicts nothing (OOM).");

    [Fact]
    public Task Redis_NoReplicas_TasksResumeAfterRecovery() => WaitsOutAsync(
        () => Redis.ConfigSetAsync("min-replicas-to-write", "1"),
        () => Redis.ConfigSetAsync("min-replicas-to-write", "0"),
        "Redis accepts no writes: it has too few replicas (NOREPLICAS).");

    [Fact]
    public Task Redis_ScriptsDenied_TasksResumeAfterRecovery() => WaitsOutAsync(
        () => Redis.ExecuteAsync("ACL", "SETUSER", "default", "-eval", "-evalsha"),
        () => Redis.ExecuteAsync("ACL", "SETUSER", "default", "+eval", "+evalsha"),
        "Redis refuses the command");

    [Fact]
    public async Task Redis_FailsOver_IsFollowed()
    {
        await using var other = await RedisProcess.StartAsync(RedisKind.Redis, TestContext.Current.CancellationToken);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(other.ConnectionString + ",allowAdmin=true");
        var second = connection.GetServers().Single();
        await second.ExecuteAsync("REPLICAOF", "127.0.0.1", _redis.Port.ToString(CultureInfo.InvariantCulture));
        await using var server = MeshProcess.StartServer($"{_redis.ConnectionString},{other.ConnectionString}", "server-a", RedisProcess.FreePort());
        await server.HealthyAsync();
        await server.SubmitAsync([.. Enumerable.Range(0, Tasks).Select(i => Update($"first-{i}"))]);
        await Eventually.HoldsAsync(
            "the replica has it all", () => (int)second.Execute("HLEN", $"mesh:{{{server.Id}}}:tasks") == Tasks, details: () => server.Output);

        await second.ExecuteAsync("REPLICAOF", "NO", "ONE");
        await Redis.ExecuteAsync("REPLICAOF", "127.0.0.1", other.Port.ToString(CultureInfo.InvariantCulture));
        using var accepted = await Eventually.GetAsync(
            "a task is accepted by the new primary",
            () => PostAsync(server, Update("after")),
            answer => answer.StatusCode == HttpStatusCode.Accepted && (int)second.Execute("HEXISTS", $"mesh:{{{server.Id}}}:ids", "after") == 1);

        await server.StatusAsync("nothing is lost", status => (int)status["queue"]! == Tasks + 1);
    }

    [Fact]
    public async Task Redis_BecomesReplica_TasksResumeAfterRecovery()
    {
        await using var primary = await RedisProcess.StartAsync(RedisKind.Redis, TestContext.Current.CancellationToken);

        // The primary is not running, so the replica keeps its data.
        await primary.KillAsync();
        await WaitsOutAsync(
            () => Redis.ExecuteAsync("REPLICAOF", "127.0.0.1", primary.Port.ToString(CultureInfo.InvariantCulture)),
            () => Redis.ExecuteAsync("REPLICAOF", "NO", "ONE"),
            "Redis is read-only: it is a replica (READONLY).");
        await primary.RestartAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public Task Redis_Hangs_TasksResumeAfterRecovery() => WaitsOutAsync(
        () => Redis.ExecuteAsync("CLIENT", "PAUSE", "600000", "WRITE"), () => Redis.ExecuteAsync("CLIENT", "UNPAUSE"), "Redis: no answer in time.");

    [Fact]
    public async Task Redis_LostItsLastSecond_TasksRunAgainAndAreAppliedOnce()
    {
        var database = _connection.GetDatabase();
        await using var server = MeshProcess.StartServer(_redis.ConnectionString, "server-a", RedisProcess.FreePort());
        await server.HealthyAsync();
        await server.SetBalanceAsync("maria", 0);
        string[] ids = [.. Enumerable.Range(0, Tasks).Select(i => $"first-{i}")];
        await server.SubmitAsync([.. ids.Select(Update)]);
        var memory = await StoreSnapshot.OfAsync(database, server.Id);
        await using var worker = MeshProcess.Worker(_redis.ConnectionString, "w1", server.Id, server.Port, new() { ["Concurrency"] = "2" });
        await server.StatusAsync("all is done", status => (int)status["done"]! == Tasks, worker);

        await memory.RestoreAsync(database, ids.Select(id => (RedisKey)$"mesh:{{{server.Id}}}:result:{id}"));

        await Eventually.HoldsAsync("the loss is told", () => server.Output.Contains($"The results of {Tasks} tasks were lost", StringComparison.Ordinal), details: () => server.Output);
        await server.StatusAsync("all is done again", status => (int)status["done"]! == Tasks && (int)status["queue"]! + (int)status["running"]! == 0, worker);
        Assert.Equal(Tasks, await server.BalanceAsync("maria"));
        Assert.Equal(0, await database.HashLengthAsync($"mesh:{{{server.Id}}}:tasks"));
    }

    private async Task WaitsOutAsync(Func<Task> spoil, Func<Task> mend, string reason)
    {
        await using var server = MeshProcess.StartServer(_redis.ConnectionString, "server-a", RedisProcess.FreePort());
        await server.HealthyAsync();
        await using var worker = MeshProcess.Worker(
            _redis.ConnectionString, "w1", server.Id, server.Port, new() { ["Concurrency"] = "2", ["WorkTime"] = "00:00:00.005" });
        await server.SetBalanceAsync("maria", 0);
        await server.SubmitAsync([.. Enumerable.Range(0, Tasks).Select(i => Update($"first-{i}"))]);
        await server.StatusAsync("some tasks are done", status => (int)status["done"]! > 10, worker);

        await spoil();

        // A full Redis still accepts a write that begins with freeing memory, and the changes grouped with it.
        var accepted = 0;
        using var refused = await Eventually.GetAsync(
            "a task is refused", () => PostAsync(server, Update($"second-{accepted}")), answer =>
            {
                accepted += answer.StatusCode == HttpStatusCode.Accepted ? 1 : 0;
                return answer.StatusCode != HttpStatusCode.Accepted;
            });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        var problem = await refused.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Contains("The store is unavailable.", (string)problem!["detail"]!, StringComparison.Ordinal);
        Assert.Contains(reason, (string)problem["detail"]!, StringComparison.Ordinal);
        await Eventually.HoldsAsync("the log tells why", () => server.Output.Contains(reason, StringComparison.Ordinal), details: () => server.Output);

        // Until Redis is available again each submission is refused, the server is not healthy, and its worker stays connected. A refusal does not wait for Redis.
        using (var again = await PostAsync(server, Update("refused")))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, again.StatusCode);
        }

        using (var health = await server.Http.GetAsync(new Uri("/health", UriKind.Relative), TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        }

        var away = await server.StatusAsync();
        Assert.NotEqual("gone", (string)MeshTests.Workers(away).Single()["state"]!);
        Assert.InRange((int)away["done"]!, 0, Tasks + accepted - 1);

        await mend();
        await server.HealthyAsync();
        await server.SubmitAsync(Update("third"));
        await server.StatusAsync("all is done", status => (int)status["done"]! == Tasks + accepted + 1 && (int)status["queue"]! + (int)status["running"]! == 0, worker);
        Assert.Equal(Tasks + accepted + 1m, await server.BalanceAsync("maria"));
        Assert.Equal(0, (int)(await server.StatusAsync())["dead"]!);
        Assert.DoesNotContain("is gone", server.Everything, StringComparison.Ordinal);
    }

    private static object Update(string id) => new { type = "UPDATE", user = "maria", amount = 1, id };

    private static Task<HttpResponseMessage> PostAsync(MeshProcess server, object task) =>
        server.Http.PostAsJsonAsync(new Uri("/tasks", UriKind.Relative), task, TestContext.Current.CancellationToken);
}
