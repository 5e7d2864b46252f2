using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>docs/operations.md, "A server's settings": Mesh__Advertise is required where the address listened on does not lead to the server.</summary>
[Trait("Speed", "Slow")]
public sealed class AdvertiseTests
{
    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://[::]:0")]
    [InlineData("http://*:0")]
    [InlineData("http://+:0")]
    public async Task Server_WildcardAddressWithoutAdvertise_NamesTheSettingAndExits(string urls)
    {
        // Port 1: Redis is not asked for before the server knows its own address.
        await using var server = MeshProcess.StartServer("127.0.0.1:1", "server-a", port: 0, environment: new() { ["ASPNETCORE_URLS"] = urls });

        Assert.Equal(1, await server.ExitAsync());
        Assert.Contains("Mesh__Advertise is missing", server.Everything, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0:9001")]
    [InlineData("[::]:9001")]
    [InlineData("*:9001")]
    public async Task Server_AdvertisesWildcard_NamesTheSettingAndExits(string advertise)
    {
        await using var server = MeshProcess.StartServer("127.0.0.1:1", "server-a", RedisProcess.FreePort(), settings: new() { ["Advertise"] = advertise });

        Assert.Equal(1, await server.ExitAsync());
        Assert.Contains("Mesh__Advertise must be host:port", server.Everything, StringComparison.Ordinal);
    }
}
