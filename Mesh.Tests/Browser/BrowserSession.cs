using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

/// <summary>A browser context of one test. Disposing it fails the test when a page has written an error to its console.</summary>
internal sealed partial class BrowserSession : IAsyncDisposable
{
    private const string PageLeft = "The circuit associated with this dispatcher is no longer available";

    /// <summary>Answers what a page sends after an error of its circuit. The error itself is logged before.</summary>
    private const string CircuitEnded = "Circuit has been shut down due to error.";

    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly IBrowserContext _context;
    private readonly string _screenshots;

    public BrowserSession(IBrowserContext context, AppHostRun host, string screenshots)
    {
        (_context, Host, _screenshots) = (context, host, screenshots);
        context.Page += (_, page) =>
        {
            page.Console += (_, message) => Note(message.Type is "error" or "warning", $"{message.Text} at {message.Location}");
            page.PageError += (_, fault) => Note(true, fault);
            page.Crash += (_, _) => Note(true, $"{page.Url} crashed");
        };
    }

    public AppHostRun Host { get; }

    public Task<IPage> NewPageAsync() => _context.NewPageAsync();

    /// <summary>Logs in to the dashboard by the address that the AppHost prints, and opens one of its pages.</summary>
    public async Task<IPage> DashboardAsync(string path = "/")
    {
        var page = await NewPageAsync();
        await page.GotoAsync(Host.Login.ToString());
        await Expect(page.GetByText("Showing")).ToBeVisibleAsync();
        if (path != "/")
        {
            await page.GotoAsync(new Uri(Host.Login, path).ToString());
        }

        return page;
    }

    /// <summary>Opens a server's map, giving it its token.</summary>
    public async Task<IPage> MapAsync(Uri server)
    {
        var page = await NewPageAsync();
        await page.GotoAsync(server.ToString());
        await page.Locator("#token").FillAsync(Host.Token);
        await page.Locator("#token").PressAsync("Enter");
        await Expect(page.Locator("#link-text")).ToHaveTextAsync("Live");
        return page;
    }

    /// <summary>Takes a screenshot of the window.</summary>
    public Task PictureAsync(IPage page, string name) => page.ScreenshotAsync(new PageScreenshotOptions
    {
        Path = Path.Combine(_screenshots, $"{name}.png"),
        Animations = ScreenshotAnimations.Disabled,
        Caret = ScreenshotCaret.Hide,
    });

    /// <summary>Checks the accessibility of a page in both themes, and takes a screenshot of each: name and name-dark.</summary>
    public Task CheckAsync(IPage page, string name) => Accessibility.CheckAsync(page, scheme => PictureAsync(page, scheme == ColorScheme.Dark ? $"{name}-dark" : name));

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync();
        Assert.True(Host.Fault is null, Host.Fault);
        Assert.True(_complaints.IsEmpty, string.Join('\n', _complaints));
    }

    private void Note(bool bad, string text)
    {
        // The browser logs the status of a page that requires a token, and of an upload that is refused. The dashboard's framework logs an error when a page is left while it renders.
        if (bad && !Refused().IsMatch(text) && !text.Contains(PageLeft, StringComparison.Ordinal) && !text.Contains(CircuitEnded, StringComparison.Ordinal))
        {
            _complaints.Enqueue(text);
        }
    }

    [GeneratedRegex(@"^Failed to load resource: the server responded with a status of (401 \(Unauthorized\) at \S+/(events|login)|415 \(Unsupported Media Type\) at \S+/api/pictures)\b")]
    private static partial Regex Refused();
}
