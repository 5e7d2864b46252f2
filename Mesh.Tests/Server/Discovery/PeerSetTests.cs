using Mesh.Protocol;
using Mesh.Server.Discovery;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Discovery;

/// <summary>The peers of a running server follow its configuration and DNS.</summary>
public sealed class PeerSetTests
{
    [Fact]
    public async Task Configuration_PeerAddedAndRemoved_TakesEffect()
    {
        await using var b = await TestServer.StartAsync(("Mesh:ServerId", "server-b"));
        await using var a = await TestServer.StartAsync();
        Assert.Empty(await PeersAsync(a));

        Change(a, ("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", b.Endpoint.ToString()));
        await PeersAreAsync(a, "server-b", "True");

        // An entry of the server itself is skipped.
        Change(a, ("Mesh:Peers:0:Id", "server-a"));
        await PeersAreAsync(a);
    }

    [Fact]
    public async Task Configuration_BadPeer_IsRefusedAndTheOldSetStays()
    {
        await using var b = await TestServer.StartAsync(("Mesh:ServerId", "server-b"));
        await using var a = await TestServer.StartAsync(("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", b.Endpoint.ToString()));
        using var log = new RecordedLog(a, 1313);
        await PeersAreAsync(a, "server-b", "True");

        Change(a, ("Mesh:Peers:0:Endpoint", "nowhere:99999"), ("Mesh:Peers:1:Id", "server-c"), ("Mesh:Peers:1:Endpoint", "127.0.0.1:1"));
        Assert.Equal(
            "The changed configuration is not valid, and the peers stay as they are: Mesh__Peers__0__Endpoint must be host:port or a service-discovery name, alone or after http://, https://, ws:// or wss://",
            (await log.LineAsync(1313)).Text);
        await PeersAreAsync(a, "server-b", "True");

        Assert.Single(log.Lines);

        Change(a, ("Mesh:Peers:0:Endpoint", b.Endpoint.ToString()));
        await PeersAreAsync(a, "server-b", "True", "server-c", "False");
    }

    [Fact]
    public async Task Dns_NameOfTwoServers_FindsTheOtherOne()
    {
        await using var b = await TestServer.StartAsync(("Mesh:ServerId", "server-b"));
        await using var a = await TestServer.StartAsync(
            ("Mesh:PeersFromDns:Name", "localhost"), ("Mesh:PeersFromDns:Port", $"{b.Address.Port}"), ("Mesh:PeersFromDns:Interval", "00:00:01"));

        await PeersAreAsync(a, "server-b", "True");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Probe_Server_ReturnsItsId(bool isThere)
    {
        await using var b = await TestServer.StartAsync(("Mesh:ServerId", "server-b"), ("Mesh:Token", "s3cret"));
        await using var a = await TestServer.StartAsync(("Mesh:Token", isThere ? "s3cret" : "another"));

        var found = await a.Services.GetRequiredService<IServerIdProbe>().AskAsync(b.Endpoint, TestContext.Current.CancellationToken);

        Assert.Equal(isThere ? new ServerId("server-b") : null, found);
    }

    private static void Change(TestServer server, params (string Key, string? Value)[] settings)
    {
        var configuration = server.Services.GetRequiredService<IConfiguration>();
        foreach (var (key, value) in settings)
        {
            configuration[key] = value;
        }

        ((IConfigurationRoot)configuration).Reload();
    }

    private static Task PeersAreAsync(TestServer server, params string[] idsAndAlive) =>
        HangGuard.UntilAsync($"the peers to be {string.Join(' ', idsAndAlive)}", async () => (await PeersAsync(server)).SequenceEqual(idsAndAlive));

    private static async Task<IEnumerable<string>> PeersAsync(TestServer server)
    {
        if (!server.Http.DefaultRequestHeaders.Contains("Authorization"))
        {
            server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "s3cret");
        }

        return (await server.GetJsonAsync("/status")).GetProperty("peers").EnumerateArray().SelectMany(peer => new[] { peer.GetProperty("id").GetString()!, $"{peer.GetProperty("alive").GetBoolean()}" }).ToList();
    }
}
