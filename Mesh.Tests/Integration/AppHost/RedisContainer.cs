using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>The container of the resource "redis".</summary>
internal static class RedisContainer
{
    private const string Id = "container.id";

    /// <summary>Kills the process in the container, and waits until Aspire has noticed it.</summary>
    public static async Task KillAsync(DistributedApplication app)
    {
        var running = await app.ResourceNotifications.WaitForResourceAsync("redis", one => IdOf(one) is not null, TestContext.Current.CancellationToken);
        var ended = app.ResourceNotifications.WaitForResourceAsync(
            "redis", one => KnownResourceStates.TerminalStates.Contains(one.Snapshot.State?.Text), TestContext.Current.CancellationToken);
        using var docker = Process.Start(new ProcessStartInfo("docker", ["kill", "--signal", "KILL", IdOf(running)!]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await docker.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(docker.ExitCode == 0, await docker.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await ended;
    }

    private static string? IdOf(ResourceEvent news) => news.Snapshot.Properties.FirstOrDefault(one => one.Name == Id)?.Value as string;
}
