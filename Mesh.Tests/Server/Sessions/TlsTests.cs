using Mesh.Protocol;
using Mesh.Tests.Server.Links;
using Mesh.Tests.Worker;
using Mesh.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Sessions;

/// <summary>TLS on the server's one port, with a certificate authority of the test.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    [Theory]
    [InlineData(Framing.WebSocket)]
    [InlineData(Framing.Line)]
    public async Task Worker_OverTls_TrustsTheAuthority_AndGetsItsTask(Framing framing)
    {
        await using var server = await TestServer.StartAsync(_authority.Serve());
        await using var worker = await Dialer(_authority).DialAsync(server.Endpoint, framing, TestContext.Current.CancellationToken);
        worker.TrySend(new GetTask(new WorkerId("w1")));

        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");

        Assert.Equal("maria", (await worker.ReceiveAsync<NewTask>()).User);
    }

    [Theory]
    [InlineData(Framing.WebSocket)]
    [InlineData(Framing.Line)]
    public async Task Certificate_OfAnUnknownAuthority_IsRefused(Framing framing)
    {
        using var other = new TestAuthority();
        await using var server = await TestServer.StartAsync(_authority.Serve());

        foreach (var dialer in new[] { Dialer(other), new MeshDialer(new MeshDialerOptions { UseTls = true }) })
        {
            var refused = await Assert.ThrowsAsync<MeshDialException>(() => dialer.DialAsync(server.Endpoint, framing, TestContext.Current.CancellationToken));
            Assert.Equal(MeshDialFailure.Unreachable, refused.Failure);
            Assert.Contains("TLS", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Certificate_OfAnotherHost_IsRefused()
    {
        await using var server = await TestServer.StartAsync(_authority.Serve("elsewhere.example"));

        var refused = await Assert.ThrowsAsync<MeshDialException>(() => Dialer(_authority).DialAsync(server.Endpoint, Framing.WebSocket, TestContext.Current.CancellationToken));
        Assert.Equal(MeshDialFailure.Unreachable, refused.Failure);
        Assert.Contains("TLS", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PlainLine_OnTlsPort_IsServedWhenLinesAreAllowed()
    {
        await using var server = await TestServer.StartAsync(_authority.Serve());
        using var line = await server.ConnectAsync();

        await line.SayAsync("""{"SERVER_UUID":"server-b","TASK":"HEARTBEAT"}""" + "\n");

        Assert.Contains("ALIVE", await line.HearLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TlsPeer_SendsNothing_IsDropped()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, _authority.Serve());
        await using var silent = await Dialer(_authority).DialAsync(server.Endpoint, Framing.Line, TestContext.Current.CancellationToken);
        var ended = silent.EndAsync();

        Assert.InRange(await server.SecondsUntilAsync(time, ended, most: 20), 10, 20);
        await ended;
    }

    [Fact]
    public async Task TwoServers_OverTls_BothWithTheToken_AreAlive()
    {
        (string, string)[] token = [("Mesh:Token", "s3cret"), ("Mesh:Tls:CaFile", _authority.File)];
        (string, string)[] settings = [.. token, .. _authority.Serve()];
        var (a, b) = await PeerLinkTests.TwoPeersAsync(settings, settings, "https");
        await using (a)
        await using (b)
        {
            foreach (var server in new[] { a, b })
            {
                server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "s3cret");
                await PeerLinkTests.AliveAsync(server);
            }
        }
    }

    [Theory]
    [InlineData("https", "WebSocket")]
    [InlineData("wss", "Tcp")]
    public async Task Worker_HomeOverTls_CompletesTasks(string scheme, string transport)
    {
        await using var server = await TestServer.StartAsync([("Mesh:Token", "s3cret"), .. _authority.Serve()]);
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", "s3cret");
        await using var worker = await WorkerHost.StartAsync(
            $"{scheme}://{server.Endpoint}", ("Mesh:Token", "s3cret"), ("Mesh:Transport", transport), ("Mesh:Tls:CaFile", _authority.File), ("Mesh:HomeServer:Id", "server-a"));

        var id = await server.SubmitAsync("""{"type":"QUERY","user":"nobody"}""");

        await server.TaskAsync(id, "dead");
    }

    [Fact]
    public async Task Browser_OverTls_GetsTheMap()
    {
        await using var server = await TestServer.StartAsync(_authority.Serve());

        Assert.Contains("<html", await server.Http.GetStringAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    public void Dispose() => _authority.Dispose();

    private static MeshDialer Dialer(TestAuthority authority) =>
        new(new MeshDialerOptions { UseTls = true, TrustedAuthorities = TrustedAuthorities.Load(authority.File), HandshakeTimeout = TimeSpan.FromSeconds(10) });
}
