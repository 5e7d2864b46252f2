namespace Mesh.Tests.Integration.AppHost;

/// <summary>The console of <c>dotnet run --project MeshAspire.AppHost</c>, and the processes that are left when it has ended.</summary>
[Trait("Speed", "Slow")]
public sealed class AppHostProcessTests : IAsyncLifetime
{
    private const int Processes = 10;
    private const string HomeAgain = "server-b    | Returned from server-a: ";

    private readonly TestVolume _volume = new();
    private readonly TestVolume _other = new();

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds the processes in /proc.");
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        var directory = Path.GetFullPath(Publishing.BuildOutput.Source("MeshAspire.AppHost"));
        await _volume.RemoveAsync(directory);
        await _other.RemoveAsync(directory);
    }

    [Fact]
    public async Task AppHost_Started_PrintsLoginThenLoanAndStopsOnCtrlC()
    {
        await using var host = Start(_volume);
        await host.LineAsync("server-b    | Returned from server-a: ");
        var lines = host.Output.Split('\n');
        int Position(string text) => Array.FindIndex(lines, line => line.Contains(text, StringComparison.Ordinal));
        Assert.InRange(Position("Login to the dashboard at http://localhost:"), 0, Position("server-a    | Borrowed from server-b: "));
        Assert.Contains("redis       | Garnet, since Mesh:Redis is garnet. Its data are in ", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(lines, line => line.StartsWith("warn:", StringComparison.Ordinal) || line.StartsWith("fail:", StringComparison.Ordinal));
        Assert.InRange(host.Started().Count, Processes, int.MaxValue);

        host.Signal(AppHostProcess.Interrupt);
        Assert.Equal(0, await host.ExitAsync());
        await host.GoneAsync();
    }

    [Fact]
    public async Task AppHosts_TwoAtATime_RunIndependentlyAndLeaveNoProcess()
    {
        await using var one = Start(_volume);
        await one.LineAsync("Login to the dashboard at ");
        await using var same = Start(_volume);
        await same.LineAsync("Another run is using ");
        Assert.NotEqual(await one.LineAsync("Login to the dashboard at "), await same.LineAsync("Login to the dashboard at "));
        await one.LineAsync("server-a    | Borrowed from server-b: ");
        await same.LineAsync("server-a    | Borrowed from server-b: ");

        one.Signal(AppHostProcess.Kill);
        await one.GoneAsync();
        await same.LineAsync(HomeAgain, after: same.LinesWith(HomeAgain).Count());
        same.Signal(AppHostProcess.Terminate);
        Assert.Equal(0, await same.ExitAsync());
        await same.GoneAsync();
    }

    [Theory]
    [InlineData("Mesh:Redis is 'nonsense'. It must be container, garnet or external. Without it, a container is used when a container runtime is running, else Garnet.", "--Mesh:Redis=nonsense")]
    [InlineData("redis cannot start: Mesh:Redis is external, so ConnectionStrings:redis is required, as an environment variable ConnectionStrings__redis.", "--Mesh:Redis=external")]
    public async Task AppHost_InvalidSetting_PrintsOneLineAndExitsWithOne(string line, params string[] arguments)
    {
        await using var host = new AppHostProcess(arguments);
        Assert.Equal((1, line), (await host.ExitAsync(), host.Output.Trim()));
    }

    [Fact]
    public async Task AppHost_ContainerWithoutRuntime_PrintsOneLine()
    {
        // No container runtime is at this address.
        await using var host = new AppHostProcess("--Mesh:Redis=container", "--DcpPublisher:ContainerRuntime=podman");
        Assert.Equal(1, await host.ExitAsync());
        Assert.StartsWith("redis cannot start: Mesh:Redis is container, but ", host.Output, StringComparison.Ordinal);
        Assert.Single(host.Output.Split('\n'));
    }

    private static AppHostProcess Start(TestVolume volume) => new("--Mesh:Redis=garnet", $"--Mesh:RedisVolume={volume.Name}");
}
