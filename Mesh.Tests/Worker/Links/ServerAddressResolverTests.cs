using Mesh.Protocol;
using Mesh.Transport;
using MeshAspire.Worker.Links;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.ServiceDiscovery;

namespace Mesh.Tests.Worker.Links;

public sealed class ServerAddressResolverTests
{
    [Theory]
    [InlineData("127.0.0.1:9001", "127.0.0.1:9001")]
    [InlineData("host.example:80", "host.example:80")]
    [InlineData("http://host.example:9001/", "host.example:9001")]
    [InlineData("[::1]:9001", "[::1]:9001")]
    [InlineData("https://host.example:443", "host.example:443")]
    [InlineData("wss://host.example:9001/", "host.example:9001")]
    [InlineData("HTTPS://host.example:443", "host.example:443")]
    [InlineData("server-a", "localhost:5001")]
    [InlineData("http://server-a", "localhost:5001")]
    [InlineData("https+http://server-a", "localhost:5001")]
    public async Task Find_AnyForm_IsHostAndPort(string configured, string endpoint)
    {
        await using var services = Services();
        var address = new ServerAddressResolver(ServiceAddress.Parse(configured)!.Value, services.GetRequiredService<ServiceEndpointResolver>());

        Assert.Equal(endpoint, (await address.FindAsync(TestContext.Current.CancellationToken)).ToString());
    }

    [Fact]
    public async Task Find_SeveralEndpoints_TakesTurns()
    {
        await using var services = Services();
        var address = new ServerAddressResolver(ServiceAddress.Parse("two")!.Value, services.GetRequiredService<ServiceEndpointResolver>());
        var found = new List<MeshEndpoint>();
        for (var i = 0; i < 3; i++)
        {
            found.Add(await address.FindAsync(TestContext.Current.CancellationToken));
        }

        Assert.Equal([new("localhost", 1), new("localhost", 2), new("localhost", 1)], found);
    }

    [Fact]
    public async Task Find_NameUnknownToDiscovery_IsUsedAsHost()
    {
        await using var services = Services();
        var address = new ServerAddressResolver(ServiceAddress.Parse("unknown")!.Value, services.GetRequiredService<ServiceEndpointResolver>());

        Assert.Equal(new MeshEndpoint("unknown", 80), await address.FindAsync(TestContext.Current.CancellationToken));
    }

    private static ServiceProvider Services() => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["services:server-a:http:0"] = "http://localhost:5001",
            ["services:two:http:0"] = "http://localhost:1",
            ["services:two:http:1"] = "http://localhost:2",
        }).Build())
        .AddLogging()
        .AddServiceDiscovery()
        .BuildServiceProvider();
}
