using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using Mesh.Protocol;
using Mesh.Server.Listening;
using Mesh.Tests.Server.Links;
using Mesh.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server.Access;

public sealed class TokenTests
{
    private static readonly (string, string) Token = ("Mesh:Token", "s3cret");

    [Theory]
    [InlineData("/mesh")]
    [InlineData("/")]
    [InlineData("/health")]
    [InlineData("/alive")]
    [InlineData("/map/map.js")]
    public async Task WebSocket_WithoutToken_IsRefusedOnEveryPath(string path)
    {
        await using var server = await TestServer.StartAsync(Token);
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{server.Endpoint}{path}"), TestContext.Current.CancellationToken));

        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
    }

    [Fact]
    public async Task Probes_NoToken_ReturnOneWord()
    {
        await using var server = await TestServer.StartAsync(Token);

        Assert.Equal("Healthy", await (await server.GetAsync("/health")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("Healthy", await (await server.GetAsync("/alive")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.PostAsync("/health", "{}")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/health/of")).StatusCode);
    }

    [Theory]
    [InlineData("/status?token=s3cret")]
    [InlineData("/events?access_token=s3cret")]
    public async Task Token_InUrl_IsIgnored(string path)
    {
        await using var server = await TestServer.StartAsync(Token);

        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task Requests_TooManyWrongTokens_LockTheAddressOutForOneMinute()
    {
        var time = new FakeTimeProvider();
        await using var server = await TestServer.StartAsync(new(), time, Token, ("Mesh:Sessions:MaxFailedTokens", "3"));

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(StatusCodes.Status401Unauthorized, (await AskAsync(server, "10.0.0.1", "Bearer wrong")).StatusCode);
        }

        time.Advance(TimeSpan.FromSeconds(20));
        var lockedOut = await AskAsync(server, "10.0.0.1", "Bearer s3cret");
        Assert.Equal((StatusCodes.Status429TooManyRequests, "40"), (lockedOut.StatusCode, lockedOut.Headers.RetryAfter.ToString()));
        Assert.Equal(StatusCodes.Status200OK, (await AskAsync(server, "10.0.0.2", "Bearer s3cret")).StatusCode);
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(StatusCodes.Status200OK, (await AskAsync(server, "10.0.0.1", "Bearer s3cret")).StatusCode);
    }

    [Fact]
    public Task WrongTokens_FromLoopback_LockNoAddressOut() => AssertNotLockedOutAsync("127.0.0.1", "Bearer wrong");

    [Fact]
    public Task RequestsWithoutToken_Many_LockNoAddressOut() => AssertNotLockedOutAsync("10.0.0.1", "");

    private static async Task AssertNotLockedOutAsync(string address, string header)
    {
        await using var server = await TestServer.StartAsync(Token, ("Mesh:Sessions:MaxFailedTokens", "1"));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(StatusCodes.Status401Unauthorized, (await AskAsync(server, address, header)).StatusCode);
        }

        Assert.Equal(StatusCodes.Status200OK, (await AskAsync(server, address, "Bearer s3cret")).StatusCode);
    }

    [Fact]
    public async Task PageOfAnotherSite_ServerWithoutToken_IsRefused()
    {
        await using var server = await TestServer.StartAsync();
        server.Http.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example");
        Assert.Equal(HttpStatusCode.Forbidden, (await server.PostAsync("/tasks", """{"type":"QUERY","user":"maria"}""")).StatusCode);

        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", "https://elsewhere.example");
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{server.Endpoint}/mesh"), TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);

        server.Http.DefaultRequestHeaders.Remove("Origin");
        server.Http.DefaultRequestHeaders.Add("Origin", $"http://{server.Endpoint}");
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/status")).StatusCode);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("10.0.0.7", true)]
    [InlineData("::ffff:10.0.0.7", true)]
    [InlineData("10.0.0.8", false)]
    [InlineData("192.168.17.255", true)]
    [InlineData("192.168.32.0", false)]
    [InlineData("fd00::1", true)]
    [InlineData("fe80::1", false)]
    public async Task LinePeers_ServerWithToken_AreLimitedToTheList(string address, bool allowed)
    {
        await using var server = await TestServer.StartAsync(
            Token, ("Mesh:LinePeers:Allowed:0", "10.0.0.7"), ("Mesh:LinePeers:Allowed:1", "192.168.16.0/20"), ("Mesh:LinePeers:Allowed:2", "fd00::/8"));

        Assert.Equal(allowed, server.Services.GetRequiredService<LineProtocolMiddleware>().IsAllowed(IPAddress.Parse(address)));
    }

    [Fact]
    public async Task ServersWithDifferentTokens_RefuseEachOthersHeartbeats()
    {
        const int Refused = 2401;
        (string, string)[] retries = [("Mesh:Timing:HeartbeatRetryDelay", "00:00:00.010"), ("Mesh:Timing:HeartbeatMaxDelay", "00:00:00.100")];
        var (a, b) = await PeerLinkTests.TwoPeersAsync([Token, .. retries], [("Mesh:Token", "other"), .. retries]);
        await using (a)
        await using (b)
        {
            foreach (var (server, token) in new[] { (a, "s3cret"), (b, "other") })
            {
                server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
                var log = new EventIdLog(server, Refused);
                Assert.Equal(Refused, await log.NextAsync());
                Assert.Equal(Refused, await log.NextAsync());
            }

            Assert.False(await PeerLinkTests.IsPeerAliveAsync(a));
            Assert.False(await PeerLinkTests.IsPeerAliveAsync(b));
        }
    }

    [Fact]
    public async Task Dial_WithAnotherServersToken_IsRefused()
    {
        await using var b = await TestServer.StartAsync(("Mesh:ServerId", "server-b"), ("Mesh:Token", "other"));

        var refused = await Assert.ThrowsAsync<MeshDialException>(() => b.DialAsync(Framing.WebSocket, "s3cret"));
        Assert.Equal(MeshDialFailure.Refused, refused.Failure);
    }

    private static async Task<HttpResponse> AskAsync(TestServer server, string address, string header)
    {
        await using var scope = server.Services.CreateAsyncScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider, Response = { Body = new MemoryStream() } };
        context.Request.Path = "/status";
        context.Request.Method = "GET";
        context.Request.Headers.Authorization = header;
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        var pipeline = new ApplicationBuilder(server.Services).UseAuthentication().UseAuthorization();
        pipeline.Run(_ => Task.CompletedTask);
        await pipeline.Build()(context);
        return context.Response;
    }
}
