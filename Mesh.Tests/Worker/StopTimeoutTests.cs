using MeshAspire.Worker.Core;
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
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Mesh:HomeServer:Id"] = "SERVER_1",
            ["Mesh:HomeServer:Endpoint"] = "127.0.0.1:9001",
            ["Mesh:StopTimeout"] = stopTimeout,
        });
        builder.AddMeshWorker();
        using var host = builder.Build();

        Assert.Equal(
            TimeSpan.Parse(stopTimeout, System.Globalization.CultureInfo.InvariantCulture) + TimeSpan.FromSeconds(10), host.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    [Fact]
    public void HandBackTimeout_OfAWorker_IsShorterThanTheShutdownReserve() => Assert.InRange(new WorkerTiming().HandBackTimeout, TimeSpan.Zero, TimeSpan.FromSeconds(9));
}
