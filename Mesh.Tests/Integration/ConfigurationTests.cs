namespace Mesh.Tests.Integration;

/// <summary>A program reports the errors of its configuration at its start, without a stack trace.</summary>
[Trait("Speed", "Slow")]
public sealed class ConfigurationTests
{
    [Fact]
    public async Task Worker_BadConfiguration_NamesEveryVariableAndExits()
    {
        await using var worker = MeshProcess.Worker(redis: "", "w1", homeId: "", homePort: 0, new() { ["Concurrency"] = "lots" });

        await AssertRefused(worker, "Mesh__Concurrency", "Mesh__HomeServer__Id", "Mesh__HomeServer__Endpoint", "ConnectionStrings__redis");
    }

    [Fact]
    public async Task Server_BadConfiguration_NamesEveryVariableAndExits()
    {
        await using var server = MeshProcess.StartServer(redis: "", "", port: 0, [("", 0)], new() { ["Tasks__Capacity"] = "lots" });

        await AssertRefused(server, "Mesh__Tasks__Capacity", "Mesh__ServerId", "Mesh__Peers__0__Endpoint", "ConnectionStrings__redis");
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("http://127.0.0.1:99999")]
    public async Task Server_InvalidAddress_IsNamed(string urls)
    {
        await using var server = MeshProcess.StartServer("127.0.0.1:1", "server-a", port: 0, environment: new() { ["ASPNETCORE_URLS"] = urls });

        await AssertRefused(server, "ASPNETCORE_URLS", urls);
    }

    private static async Task AssertRefused(MeshProcess process, params string[] named)
    {
        Assert.Equal(1, await process.ExitAsync());

        Assert.All(named, name => Assert.Contains(name, process.Everything, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", process.Everything, StringComparison.Ordinal);
    }
}
