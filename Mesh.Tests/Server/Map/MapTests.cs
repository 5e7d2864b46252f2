using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Mesh.Tests.Server.Map;

public sealed partial class MapTests
{
    public static TheoryData<string, string> Assets => new()
    {
        { "/", "text/html; charset=utf-8" },
        { "/map/map.css", "text/css; charset=utf-8" },
        { "/map/map.svg", "image/svg+xml" },
        { "/map/map.js", "text/javascript; charset=utf-8" },
        { "/map/feed.js", "text/javascript; charset=utf-8" },
        { "/map/stage.js", "text/javascript; charset=utf-8" },
        { "/map/loans.js", "text/javascript; charset=utf-8" },
        { "/map/chart.js", "text/javascript; charset=utf-8" },
        { "/map/tables.js", "text/javascript; charset=utf-8" },
    };

    [Theory]
    [MemberData(nameof(Assets))]
    public async Task Asset_WithoutToken_IsServedUnderAPolicy(string path, string contentType)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "s3cret"));

        var answer = await server.GetAsync(path);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(contentType, answer.Content.Headers.ContentType?.ToString());
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
    }

    [Fact]
    public async Task Asset_KnownToTheBrowser_IsNotSentAgain()
    {
        await using var server = await TestServer.StartAsync();
        var tag = (await server.GetAsync("/")).Headers.ETag;
        Assert.NotNull(tag);

        server.Http.DefaultRequestHeaders.IfNoneMatch.Add(tag);

        Assert.Equal(HttpStatusCode.NotModified, (await server.GetAsync("/")).StatusCode);
    }

    [Fact]
    public async Task Page_ReferencedAssets_AreServedByThisServer()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "s3cret"), ("Mesh:ServerId", "server-of-nobodys-business"));
        var page = await (await server.GetAsync("/")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        var named = Reference().Matches(page).Select(match => match.Groups[1].Value).ToList();

        Assert.Contains("/map/map.js", named);
        Assert.All(named.Except(["/status"]), path => Assert.Contains(path, Assets.Select(asset => asset.Data.Item1)));
        Assert.DoesNotContain("server-of-nobodys-business", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/map/settings")]
    [InlineData("/map/map.css/")]
    [InlineData("/map/MAP.CSS")]
    [InlineData("/events")]
    [InlineData("//")]
    public async Task OtherPaths_WithoutToken_AreRefused(string path)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "s3cret"));
        var refused = await server.Http.GetAsync(new Uri(server.Address.GetLeftPart(UriPartial.Authority) + path), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    // A WebSocket peer is served on any path. The path of the page, which needs no token, does not let it in.
    [Theory]
    [InlineData("/")]
    [InlineData("/map/map.js")]
    public async Task WebSocket_OnThePagesPathWithoutToken_IsRefused(string path)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "s3cret"));
        using var socket = await server.ConnectAsync();

        await socket.SayAsync(
            $"GET {path} HTTP/1.1\r\nHost: {server.Endpoint}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 401", await socket.HearLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_WithToken_AreReturned()
    {
        await using var server = await TestServer.StartAsync(
            ("Mesh:Token", "s3cret"), ("Mesh:Dashboard", "http://127.0.0.1:18888/"), ("Mesh:Balancing:MaxQueueThreshold", "99"));
        server.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "s3cret");

        Assert.Equal("""{"dashboard":"http://127.0.0.1:18888","highMark":99,"lowMark":5}""", (await server.GetJsonAsync("/map/settings")).GetRawText());
    }

    [GeneratedRegex("(?:src|href)=\"([^\"]*)\"")]
    private static partial Regex Reference();
}
