using Mesh.Worker;
using Mesh.Worker.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Mesh.Tests.Worker;

/// <summary>docs/operations.md, "A worker's settings": Mesh__StopTimeout, and up to 10 s more to leave.</summary>
public sealed class StopTimeoutTests
{
    [Theory]
    [InlineData("00:00:00")]
    [InlineData("00:00:25")]
    public void Host_WorkerStops_WaitsTenSecondsLongerThanTheStopTimeout(string stopTimeout)
    {
        var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Mesh:HomeServer:Id"] = "SERVER_1",
            ["Mesh:HomeServer:Endpoint"] = "127.0.0.1:9001",
            ["Mesh:StopTimeout"] = stopTimeout,
            ["ConnectionStrings:redis"] = "127.0.0.1:1",
        }).Build()).AddMeshWorker();
        using var provider = services.BuildServiceProvider();

        Assert.Equal(
            TimeSpan.Parse(stopTimeout, System.Globalization.CultureInfo.InvariantCulture) + TimeSpan.FromSeconds(10), provider.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    [Fact]
    public void HandBackTimeout_OfAWorker_IsShorterThanTheShutdownReserve() => Assert.InRange(new WorkerTiming().HandBackTimeout, TimeSpan.Zero, TimeSpan.FromSeconds(9));
}
