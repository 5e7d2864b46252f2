using System.Net;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mesh.Tests.Embedded;

public sealed class RunTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_WithATakenPort_NamesResourceAndPort()
    {
        using var other = Unused.Listener();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var app = new EmbeddedApp();
        app.Builder.AddProject<Runs>("server-a").WithHttpEndpoint(port: port);
        var fault = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.App.StartAsync(Cancelled));
        Assert.Equal(
            $"server-a can't start: port {port} is taken. End the program that listens there, or give server-a another port in AppHost.cs.",
            fault.Message);
    }

    [Fact]
    public async Task Project_EndingAtOnce_IsToldWithCodeAndLastLines()
    {
        await using var app = new EmbeddedApp();
        app.Builder.AddProject<EndsAtOnce>("broken");
        await app.App.StartAsync(Cancelled);
        await app.WaitAsync("broken", one => one.Snapshot.ExitCode == 2);
        await app.App.StopAsync(Cancelled);
        Assert.Contains("broken | MeshAspire.Embedded is a library", app.Console, StringComparison.Ordinal);
        Assert.Equal(
            $"ended with exit code 2 after 0.1 s; its last lines:{Environment.NewLine}    a{Environment.NewLine}    b{Environment.NewLine}",
            Replica.EndText(2, TimeSpan.FromSeconds(0.1), ["a", "b"]));
    }

    [Fact]
    public async Task Project_NotBuilt_IsToldWithItsPath()
    {
        await using var app = new EmbeddedApp();
        app.Builder.AddProject<NotBuilt>("absent");
        await app.App.StartAsync(Cancelled);
        await app.WaitAsync("absent", one => one.Snapshot.State?.Text == KnownResourceStates.FailedToStart);
        await app.App.StopAsync(Cancelled);
        Assert.DoesNotContain("absent |", app.Console, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dependent_OfAnUnhealthyResource_WaitsUntilTheEnd()
    {
        await using var app = new EmbeddedApp();
        var server = app.Builder.AddProject<EndsAtOnce>("server").WithHttpEndpoint().WithHttpHealthCheck("/health");
        app.Builder.AddProject<Runs>("worker").WaitFor(server);
        await app.App.StartAsync(Cancelled);
        await app.WaitAsync("server", one => one.Snapshot.ExitCode == 2);
        await app.WaitAsync("worker", one => one.Snapshot.State?.Text == KnownResourceStates.Waiting);
        await app.App.StopAsync(Cancelled);
        Assert.DoesNotContain("worker |", app.Console, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense", "redis can't start: Mesh:Redis is 'nonsense'; it can be garnet, redis-server or external.")]
    [InlineData("external", "redis can't start: Mesh:Redis is external, so ConnectionStrings__redis must say where it runs.")]
    public async Task Redis_ThatCannotBeHad_IsToldWithTheSetting(string setting, string message)
    {
        await using var app = new EmbeddedApp($"--Mesh:Redis={setting}");
        app.Builder.AddRedis("redis");
        var fault = await Assert.ThrowsAsync<DistributedApplicationException>(() => app.App.StartAsync(Cancelled));
        Assert.Equal(message, fault.Message);
    }

    [Fact]
    public async Task Redis_NotSaidToBeExternal_IsNotTheOneOfTheConnectionString()
    {
        await using var app = new EmbeddedApp($"--ConnectionStrings:redis=127.0.0.1:{Unused.Port()}");
        var redis = app.Builder.AddRedis("redis");
        await app.App.StartAsync(Cancelled);
        Assert.StartsWith($"localhost:{redis.Resource.PrimaryEndpoint.Port},", await redis.Resource.GetConnectionStringAsync(Cancelled), StringComparison.Ordinal);
        await app.App.StopAsync(Cancelled);
    }

    [Fact]
    public async Task Redis_ExternalAndAway_IsUnhealthy()
    {
        await using var app = new EmbeddedApp("--Mesh:Redis=external", $"--ConnectionStrings:redis=127.0.0.1:{Unused.Port()},password=secret");
        app.Builder.AddRedis("redis");
        await app.App.StartAsync(Cancelled);
        await app.WaitAsync("redis", one => one.Snapshot.HealthStatus is HealthStatus.Unhealthy);
        await app.App.StopAsync(Cancelled);
        Assert.DoesNotContain("secret", app.Console, StringComparison.Ordinal);
    }
}
