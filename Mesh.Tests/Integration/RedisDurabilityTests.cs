using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mesh.Tests.Fixtures;
using StackExchange.Redis;

namespace Mesh.Tests.Integration;

/// <summary>A server over a Redis whose settings permit it to lose acknowledged writes.</summary>
[Trait("Speed", "Slow")]
public sealed class RedisDurabilityTests : IAsyncLifetime
{
    private const string Settings = "maxmemory-policy is allkeys-lru and maxmemory is 20971520";

    private RedisProcess _redis = null!;
    private ConnectionMultiplexer _connection = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IServer Redis => _connection.GetServers().Single();

    public async ValueTask InitializeAsync()
    {
        RedisProcess.SkipUnlessThere(RedisKind.Redis);
        _redis = await RedisProcess.StartAsync(RedisKind.Redis, Stop, "--maxmemory", "20mb");
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
    public async Task Redis_EvictsAtStart_IsRefusedUntilReconfigured()
    {
        await SetPolicyAsync("allkeys-lru");
        await using var server = StartServer();
        await IsRefusedAsync(server);
        Assert.Equal(0, (int)(await server.StatusAsync())["queue"]!);

        await SetPolicyAsync("noeviction");

        await server.HealthyAsync();
        await server.SubmitAsync(Task);
    }

    [Fact]
    public async Task Redis_EvictsAfterReconnect_IsRefused()
    {
        await using var server = StartServer();
        await server.HealthyAsync();
        await server.SubmitAsync(Task);

        await SetPolicyAsync("allkeys-lru");
        await Redis.ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");

        await IsRefusedAsync(server);
        await server.StatusAsync("what was accepted stays", status => (int)status["queue"]! == 1);
    }

    [Fact]
    public async Task Redis_EvictionAllowed_IsLoggedAndUsed()
    {
        await SetPolicyAsync("allkeys-lru");
        await using var server = StartServer(new() { ["Store__AllowEviction"] = "true" });
        await server.HealthyAsync();
        await server.SubmitAsync(Task);

        await IsLoggedOnceAsync(server, Settings);
    }

    [Fact]
    public async Task Redis_WithoutPersistence_IsLogged()
    {
        await using var server = StartServer();
        await server.HealthyAsync();

        await IsLoggedOnceAsync(server, "Redis writes nothing to disk");
    }

    [Fact]
    public async Task Redis_SettingsUnreadable_IsLoggedOnceAndUsed()
    {
        await Redis.ExecuteAsync("ACL", "SETUSER", "default", "-info", "-config");
        await using var server = StartServer();
        await server.HealthyAsync();
        await server.SubmitAsync(Task);

        await IsLoggedOnceAsync(server, "does not permit reading maxmemory-policy");
        await IsLoggedOnceAsync(server, "does not permit reading appendonly");
    }

    private static object Task => new { type = "QUERY", user = "maria" };

    private MeshProcess StartServer(Dictionary<string, string>? settings = null) =>
        MeshProcess.StartServer(_redis.ConnectionString, "server-a", RedisProcess.FreePort(), settings: settings);

    private Task SetPolicyAsync(string policy) => Redis.ConfigSetAsync("maxmemory-policy", policy);

    // A process's lines arrive through a pipe, later than the answers of its HTTP API.
    private static async Task IsLoggedOnceAsync(MeshProcess server, string text)
    {
        await Eventually.HoldsAsync($"the log has \"{text}\"", () => server.Everything.Contains(text, StringComparison.Ordinal), details: () => server.Output);
        Assert.Single(server.Everything.Split('\n'), line => line.Contains(text, StringComparison.Ordinal));
    }

    private static async Task IsRefusedAsync(MeshProcess server)
    {
        await Eventually.HoldsAsync("the log has the reason", () => server.Everything.Contains(Settings, StringComparison.Ordinal), details: () => server.Output);
        using var refused = await Eventually.GetAsync(
            "submissions are refused for it",
            () => server.PostAsync(Task),
            answer => answer.Headers.RetryAfter?.Delta == TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        var problem = await refused.Content.ReadFromJsonAsync<JsonNode>(Stop);
        Assert.Contains(Settings, (string)problem!["detail"]!, StringComparison.Ordinal);
        Assert.Contains("Mesh__Store__AllowEviction", (string)problem["detail"]!, StringComparison.Ordinal);
        using var health = await server.Http.GetAsync(new Uri("/health", UriKind.Relative), Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
    }
}
