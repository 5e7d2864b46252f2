using System.Net;
using MeshAspire.Embedded.Dashboard.Access;

namespace Mesh.Tests.Dashboard;

public sealed class AccessTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/")]
    [InlineData("/traces")]
    [InlineData("/no-such-page")]
    [InlineData("/_blazor")]
    [InlineData("/_blazor/negotiate")]
    [InlineData("/_framework/blazor.web.js")]
    [InlineData("/base.css")]
    [InlineData("/_content/Microsoft.FluentUI.AspNetCore.Components/Microsoft.FluentUI.AspNetCore.Components.bundle.scp.css")]
    [InlineData("/v1/traces")]
    [InlineData("/login/")]
    [InlineData("/logout")]
    public async Task Page_WithoutToken_AnswersOnlyWithTheLogin(string path)
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var client = DashboardUnderTest.Client(dashboard.Page);
        using var bare = await client.GetAsync(path, Cancelled);
        Assert.Equal(HttpStatusCode.Unauthorized, bare.StatusCode);
        Assert.Empty(await bare.Content.ReadAsByteArrayAsync(Cancelled));

        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", "text/html" }, { "Cookie", $"mesh-dashboard-{dashboard.Page.Port}=guessed" } } };
        using var browser = await client.SendAsync(request, Cancelled);
        Assert.Equal(HttpStatusCode.Redirect, browser.StatusCode);
        Assert.StartsWith("/login", browser.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?t=")]
    [InlineData("?t=the-toke")]
    [InlineData("?t=the-token2")]
    public async Task Login_WithoutTheToken_ShowsTheFormAndGivesNoCookie(string query)
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var client = DashboardUnderTest.Client(dashboard.Page);
        using var response = await client.GetAsync(Gate.LoginPath + query, Cancelled);
        Assert.Contains("<form method=\"post\"", await response.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Login_WithTheToken_LetsIn()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var client = DashboardUnderTest.Client(dashboard.Page);
        using var login = await client.GetAsync($"{Gate.LoginPath}?t={DashboardUnderTest.Token}&returnUrl=%2Ftraces", Cancelled);
        Assert.Equal("/traces", login.Headers.Location!.OriginalString);
        var cookie = login.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(DashboardUnderTest.Token, cookie, StringComparison.Ordinal);

        client.DefaultRequestHeaders.Add("Cookie", cookie.Split(';')[0]);
        foreach (var path in new[] { "/", "/traces", "/_framework/blazor.web.js", "/base.css" })
        {
            using var response = await client.GetAsync(path, Cancelled);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("//elsewhere.example/")]
    [InlineData("https://elsewhere.example/")]
    [InlineData("/\\elsewhere.example/")]
    public async Task Login_WithAWayOut_StaysHere(string returnUrl)
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var client = DashboardUnderTest.Client(dashboard.Page);
        using var login = await client.GetAsync($"{Gate.LoginPath}?t={DashboardUnderTest.Token}&returnUrl={Uri.EscapeDataString(returnUrl)}", Cancelled);
        Assert.Equal("/", login.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Page_WithACookieFromAnotherOrigin_IsRefused()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var client = DashboardUnderTest.Client(dashboard.Page);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/_blazor")
        {
            Headers = { { "Cookie", await dashboard.LogInAsync() }, { "Origin", "http://localhost:1" } },
        };
        using var response = await client.SendAsync(request, Cancelled);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task Page_UnderAForeignHostName_IsRefused()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var client = DashboardUnderTest.Client(dashboard.Page);
        using var request = new HttpRequestMessage(HttpMethod.Get, Gate.LoginPath) { Headers = { Host = "elsewhere.example" } };
        using var response = await client.SendAsync(request, Cancelled);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("the-ke")]
    [InlineData("the-token")]
    public async Task Otlp_WithoutTheKey_IsRefused(string? key)
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        foreach (var (address, path, version) in new[]
        {
            (dashboard.OtlpHttp, "/v1/traces", HttpVersion.Version11),
            (dashboard.OtlpHttp, "/v1/logs", HttpVersion.Version11),
            (dashboard.OtlpHttp, "/v1/metrics", HttpVersion.Version11),
            (dashboard.OtlpGrpc, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", HttpVersion.Version20),
            (dashboard.OtlpGrpc, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", HttpVersion.Version20),
            (dashboard.OtlpGrpc, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", HttpVersion.Version20),
        })
        {
            using var client = DashboardUnderTest.Client(address);
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            if (key is not null)
            {
                request.Headers.Add(Gate.KeyHeader, key);
            }

            using var response = await client.SendAsync(request, Cancelled);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Fact]
    public async Task Door_OfTheOther_LeadsNowhere()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        using var page = DashboardUnderTest.Client(dashboard.Page);
        page.DefaultRequestHeaders.Add("Cookie", await dashboard.LogInAsync());
        page.DefaultRequestHeaders.Add(Gate.KeyHeader, DashboardUnderTest.Key);
        using var telemetry = await page.PostAsync("/v1/traces", new ByteArrayContent([]), Cancelled);
        Assert.Equal(HttpStatusCode.NotFound, telemetry.StatusCode);

        using var otlp = DashboardUnderTest.Client(dashboard.OtlpHttp);
        otlp.DefaultRequestHeaders.Add(Gate.KeyHeader, DashboardUnderTest.Key);
        foreach (var path in new[] { "/", "/login", "/base.css" })
        {
            using var response = await otlp.GetAsync(path, Cancelled);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }
}
