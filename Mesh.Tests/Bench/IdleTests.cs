using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Mesh.Tests.Bench;

[Trait("Speed", "Slow")]
public sealed class IdleTests
{
    private const int Workers = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    public async Task Idle_TaskDispatched_ReportsLatency(string host)
    {
        SkipUnlessThere(host);
        await using var server = await StubServer.StartAsync(host, takesTasks: true);

        var run = await RunAsync(server.Url, "--pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("connected  3 workers connected; the server's memory is", run.Output, StringComparison.Ordinal);
        Assert.Contains("one task   reached a worker in", run.Output, StringComparison.Ordinal);
        Assert.Contains("lost       0", run.Output, StringComparison.Ordinal);
        await server.GoneAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Idle_ServerFails_PrintsOneLineAndClosesConnections()
    {
        await using var server = await StubServer.StartAsync("127.0.0.1", takesTasks: false);

        var run = await RunAsync(server.Url);

        run.FailedWith("500 (Internal Server Error)");
        Assert.Equal(Workers, server.Connections);
        await server.GoneAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Idle_Cancelled_PrintsStoppedAndClosesConnections()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs POSIX signals");
        await using var server = await StubServer.StartAsync("127.0.0.1", takesTasks: true);
        await using var bench = BenchProcess.Start("idle", "--url", server.Url, "--workers", $"{Workers}", "--seconds", "3600");
        await server.ConnectedAsync(Workers, TestContext.Current.CancellationToken);
        await bench.SaidAsync("workers in", Patience, TestContext.Current.CancellationToken);

        bench.Terminate();

        Assert.Equal(1, await bench.ExitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Contains("Stopped.", bench.Told, StringComparison.Ordinal);
        await server.GoneAsync(TestContext.Current.CancellationToken);
    }

    private static Task<BenchResult> RunAsync(string url, params string[] further) =>
        BenchResult.RunAsync(["idle", "--url", url, "--workers", $"{Workers}", "--seconds", "1", .. further], TestContext.Current.CancellationToken);

    private static void SkipUnlessThere(string host)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Parse(host.Trim('[', ']')), 0);
            listener.Start();
        }
        catch (SocketException)
        {
            Assert.Skip($"There is no {host} on this machine");
        }
    }
}
