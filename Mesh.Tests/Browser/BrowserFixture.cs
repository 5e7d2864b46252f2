using Mesh.Bench.Chaos;
using Microsoft.Playwright;

namespace Mesh.Tests.Browser;

/// <summary>One AppHost and one browser for all browser tests. They are started at their first use.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    /// <summary>The timeout of an assertion or an action. A page usually answers within a tenth of a second.</summary>
    private const float Patience = 20_000;

    /// <summary>The folder of the screenshots. Default: "screenshots" beside the tests' program.</summary>
    private const string ScreenshotsVariable = "MESH_SCREENSHOTS";

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    private static readonly string[] Arguments =
    [
        "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private readonly Lazy<Task<AppHostRun>> _host = new(AppHostRun.StartAsync);
    private readonly Lazy<Task<IBrowser>> _browser;
    private IPlaywright? _playwright;

    public BrowserFixture() => _browser = new(LaunchAsync);

    private static string Screenshots =>
        Environment.GetEnvironmentVariable(ScreenshotsVariable) is { Length: > 0 } folder ? folder : Path.Combine(AppContext.BaseDirectory, "screenshots");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_browser.IsValueCreated)
        {
            await (await _browser.Value).DisposeAsync();
            _playwright?.Dispose();
        }

        if (_host.IsValueCreated)
        {
            await (await _host.Value).DisposeAsync();
        }
    }

    /// <summary>Opens a browser context without any login. Skips the test where no browser is installed; in CI the test fails then.</summary>
    internal Task<BrowserSession> VisitAsync(bool animations = false) => VisitAsync(_host, animations);

    /// <summary>As the other overload, for the pages of another AppHost.</summary>
    internal async Task<BrowserSession> VisitAsync(Lazy<Task<AppHostRun>> started, bool animations = false)
    {
        var context = await NewContextAsync(animations);
        var host = await started.Value;
        Assert.True(host.Fault is null, host.Fault);
        return new BrowserSession(context, host, Screenshots);
    }

    /// <summary>As <see cref="VisitAsync(bool)"/>, for pages that no AppHost started.</summary>
    internal async Task<IBrowserContext> NewContextAsync(bool animations = false)
    {
        var found = ExecutableFinder.Find(Names) is not null;
        Assert.SkipUnless(found || Environment.GetEnvironmentVariable("CI") is "true", $"None of {string.Join(", ", Names)} is on the PATH.");
        var context = await (await _browser.Value).NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 1280, Height = 720 },
            ColorScheme = ColorScheme.Light,
            ReducedMotion = animations ? ReducedMotion.NoPreference : ReducedMotion.Reduce,
            Locale = "en-GB",
        });
        context.SetDefaultTimeout(Patience);
        return context;
    }

    private async Task<IBrowser> LaunchAsync()
    {
        Assertions.SetDefaultExpectTimeout(Patience);
        var program = ExecutableFinder.Find(Names)
            ?? throw new FileNotFoundException($"The tests with a browser need one of {string.Join(", ", Names)} on the PATH.");
        _playwright = await Playwright.CreateAsync();
        return await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program, Args = Arguments });
    }
}

[CollectionDefinition(Name)]
public sealed class BrowserTests : ICollectionFixture<BrowserFixture>
{
    public const string Name = "Browser";
}
