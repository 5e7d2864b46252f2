using MeshAspire.Embedded.Dashboard;
using MeshAspire.Embedded.Dashboard.Access;
using MeshAspire.Embedded.Dashboard.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Dashboard;

/// <summary>A whole dashboard on free ports, without an AppHost.</summary>
internal sealed class DashboardUnderTest : IAsyncDisposable
{
    public const string Token = "the-token";
    public const string Key = "the-key";

    private readonly WebApplication _app;

    private DashboardUnderTest(WebApplication app)
    {
        _app = app;
        var urls = app.Urls.Select(url => new Uri(url)).ToArray();
        (Page, OtlpGrpc, OtlpHttp) = (urls[0], urls[1], urls[2]);
    }

    public Uri Page { get; }

    public Uri OtlpGrpc { get; }

    public Uri OtlpHttp { get; }

    public TelemetryStore Store => _app.Services.GetRequiredService<TelemetryStore>();

    public T Service<T>()
        where T : notnull
        => _app.Services.GetRequiredService<T>();

    public static async Task<DashboardUnderTest> StartAsync(TelemetryLimits? limits = null)
    {
        var app = DashboardApplication.Build(
            ["--Dashboard:Port=0", "--Dashboard:OtlpGrpcPort=0", "--Dashboard:OtlpHttpPort=0", $"--Dashboard:Token={Token}", $"--Dashboard:OtlpKey={Key}"],
            services => services.AddSingleton(limits ?? new TelemetryLimits()));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new DashboardUnderTest(app);
    }

    /// <summary>A client that follows no redirect and keeps no cookie.</summary>
    public static HttpClient Client(Uri address) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = address };

    /// <summary>The cookie of somebody who logged in, as a header's value.</summary>
    public async Task<string> LogInAsync()
    {
        using var client = Client(Page);
        using var response = await client.GetAsync($"{Gate.LoginPath}?t={Token}", TestContext.Current.CancellationToken);
        return response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
