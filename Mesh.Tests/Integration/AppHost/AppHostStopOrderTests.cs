namespace Mesh.Tests.Integration.AppHost;

/// <summary>docs/architecture.md, "The AppHost": servers and workers stop before Redis.</summary>
[Trait("Speed", "Slow")]
public sealed class AppHostStopOrderTests : IAsyncLifetime
{
    private readonly TestVolume _volume = new();

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds the processes in /proc.");
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await _volume.RemoveAsync(Path.GetFullPath(Publishing.BuildOutput.Source("MeshAspire.AppHost")));

    [Fact]
    public async Task AppHost_StoppedUnderLoad_EndsServersAndWorkersBeforeRedis()
    {
        await using var host = new AppHostProcess("--Mesh:Redis=garnet", $"--Mesh:RedisVolume={_volume.Name}");
        await host.LineAsync("server-a    | Borrowed from server-b: ");
        Assert.True(IsRunning(host, "Mesh.Server") && IsRunning(host, "Mesh.Worker") && IsRunning(host, "garnet"), string.Join('\n', host.Started()));

        host.Signal(AppHostProcess.Interrupt);

        // Redis is looked for first: a server that is found after a Redis that is not has outlived it.
        var outlived = false;
        await Eventually.HoldsAsync(
            "servers and workers end",
            () =>
            {
                var redis = IsRunning(host, "garnet");
                var others = IsRunning(host, "Mesh.Server") || IsRunning(host, "Mesh.Worker");
                outlived |= others && !redis;
                return !others;
            },
            details: () => string.Join('\n', host.Started()));
        Assert.False(outlived, "A server or a worker was running when Redis had ended.");
        Assert.Equal(0, await host.ExitAsync());
    }

    private static bool IsRunning(AppHostProcess host, string program) => host.Started().Exists(line => line.Contains(program, StringComparison.OrdinalIgnoreCase));
}
