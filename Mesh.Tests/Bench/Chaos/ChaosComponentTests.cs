using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mesh.Bench.Chaos;
using Mesh.Bench.CommandLine;

namespace Mesh.Tests.Bench.Chaos;

public sealed class ChaosComponentTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mesh-chaos-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Verify_ServerDoesNotAnswer_NamesServerAndRequest()
    {
        var plan = new ChaosPlan(TimeSpan.FromMinutes(1), 1, 1, 1, 0, TimeSpan.FromSeconds(1), 1, TimeSpan.FromMinutes(1), _directory.FullName, new ChaosPrograms("redis", "dotnet", null));
        await using var mesh = new ChaosMesh(plan, TimeProvider.System);
        mesh.Http[0].Timeout = TimeSpan.FromMilliseconds(100);
        using var silent = new TcpListener(IPAddress.Loopback, mesh.Http[0].BaseAddress!.Port);
        silent.Start();

        var fault = await Assert.ThrowsAsync<BenchException>(
            () => new ChaosVerifier(mesh, plan, TimeProvider.System).VerifyAsync([new AcceptedTask("t0-0", 0, 0, null)], TestContext.Current.CancellationToken));

        Assert.Contains("server-0 was idle, and now GET /tasks/t0-0 fails", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Process_StartFails_WritesLogAndStopsWithTheRun()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "chaos needs POSIX signals");
        var program = Path.Combine(_directory.FullName, "no program");
        await File.WriteAllTextAsync(program, "", TestContext.Current.CancellationToken);
        var process = new ChaosProcess("server-0", new ProcessStartInfo(program), _directory.FullName, TimeProvider.System);
        process.Start();

        await process.DisposeAsync();

        Assert.Contains("cannot be started", await File.ReadAllTextAsync(Path.Combine(_directory.FullName, "server-0.log"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_OneOfSeveralOnThePath_IsFound()
    {
        var found = ExecutableFinder.Find("no-such-program", "dotnet");
        Assert.True(File.Exists(found), $"{found}");
        Assert.Equal(ExecutableFinder.Find("dotnet"), found);
        Assert.Null(ExecutableFinder.Find("no-such-program"));
    }
}
