using System.Text.Json.Nodes;
using Mesh.Tests.Browser;
using Mesh.Tests.Integration;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Samples.Thumbnails;

/// <summary>The sample samples/Thumbnails as a user sees it.</summary>
[Collection(BrowserTests.Name)]
[Trait("Speed", "Slow")]
public sealed class ThumbnailsPageTests(BrowserFixture browser, ThumbnailsApp app) : IClassFixture<ThumbnailsApp>
{
    /// <summary>In milliseconds: the time for 60 pictures, and for the workers to return.</summary>
    private const float UntilAllAreMade = 120_000;

    private const string Samples = "Generate 60 samples";

    [Fact]
    public async Task Page_SixtyPictures_AreMadeWithBorrowedWorkersWhichReturn()
    {
        await using var visitor = await VisitAsync();
        var page = await OpenAsync(visitor);
        await ClickAsync(page, Samples);

        var borrowed = page.Locator(".card[data-borrowed=true][data-state=done]");
        await Expect(borrowed.First.Locator(".loan")).ToContainTextAsync("borrowed from server-b", new() { Timeout = UntilAllAreMade });
        await Expect(page.Locator("#farms li[data-borrowed=true]")).ToContainTextAsync("of server-b, borrowed");
        await Expect(page.Locator(".card[data-state=running] progress").First).ToBeVisibleAsync();
        await Expect(page.Locator(".card[data-state=done][data-borrowed=true] img").Nth(5)).ToBeVisibleAsync(new() { Timeout = UntilAllAreMade });
        await visitor.CheckAsync(page, "thumbnails");

        await Expect(page.Locator("#n-done")).ToHaveTextAsync("60", new() { Timeout = UntilAllAreMade });
        await Expect(page.Locator(".card[data-state=done] img")).ToHaveCountAsync(60);
        await page.Locator(".card img").First.EvaluateAsync("image => image.decode()");
        await visitor.PictureAsync(page, "thumbnails-done");
        await WorkersAreHomeAsync(visitor.Host);
    }

    [Fact]
    public async Task Page_FilesThatAreNoPictures_AreReportedByName()
    {
        await using var visitor = await VisitAsync();
        var page = await OpenAsync(visitor);
        await page.Locator("#files").SetInputFilesAsync(
        [
            new FilePayload { Name = "notes.txt", MimeType = "text/plain", Buffer = "These are notes, and no picture."u8.ToArray() },
            new FilePayload { Name = "broken.png", MimeType = "image/png", Buffer = [0x89, .. "PNG\r\n\x1A\n and then nothing that can be decoded"u8] },
        ]);

        await Expect(page.Locator("#faults")).ToHaveTextAsync("notes.txt This is not a picture. JPEG, PNG, WebP, GIF and BMP are supported.");
        var broken = page.Locator(".card").Filter(new() { HasText = "broken.png" });
        await Expect(broken).ToHaveAttributeAsync("data-state", "failed");
        await Expect(broken.Locator(".detail")).ToContainTextAsync("The file is not a picture that can be read");
        await Expect(page.Locator("#n-failed")).ToHaveTextAsync("1");
        await visitor.CheckAsync(page, "thumbnails-faults");

        await ClickAsync(page, "Remove finished");
        await Expect(page.Locator(".card")).ToHaveCountAsync(0);
        await Expect(page.Locator("#faults")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Page_PicturesThatAreCancelled_AreNotMade()
    {
        await using var visitor = await VisitAsync();
        var page = await OpenAsync(visitor);
        await ClickAsync(page, Samples);
        var waiting = page.Locator(".card[data-state=queued]");
        // The browser draws and uploads the samples, which takes longer than the usual timeout while the machine is busy. The last of eleven waits a second at least, also with
        // borrowed workers.
        await Expect(waiting.Nth(10)).ToBeVisibleAsync(new() { Timeout = UntilAllAreMade });
        var one = page.Locator($".card[data-id='{await waiting.Last.GetAttributeAsync("data-id")}']");
        await one.GetByRole(AriaRole.Button).ClickAsync();
        await Expect(one).ToHaveAttributeAsync("data-state", "cancelled");
        await Expect(one.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);

        await ClickAsync(page, "Cancel all");
        await Expect(page.Locator("#uploading")).ToHaveTextAsync("");
        await Expect(page.Locator(".card[data-state=queued], .card[data-state=running]")).ToHaveCountAsync(0, new() { Timeout = UntilAllAreMade });
        await WorkersAreHomeAsync(visitor.Host);
    }

    [Fact]
    public async Task Page_NarrowWindow_FitsIntoIt()
    {
        await using var visitor = await VisitAsync();
        var page = await OpenAsync(visitor);
        await page.SetViewportSizeAsync(390, 844);
        await ClickAsync(page, Samples);
        await Expect(page.Locator(".card[data-state=done]").Nth(3)).ToBeVisibleAsync();

        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than its window.");
        await visitor.PictureAsync(page, "thumbnails-narrow");
        await page.Locator("#grid").ScrollIntoViewIfNeededAsync();
        await page.Locator(".card").Nth(3).ScrollIntoViewIfNeededAsync();
        await visitor.CheckAsync(page, "thumbnails-narrow-grid");
        await ClickAsync(page, "Cancel all");
        await WorkersAreHomeAsync(visitor.Host);
    }

    [Fact]
    public async Task AppHost_Started_WritesTheAddressOfThePage()
    {
        await using var visitor = await VisitAsync();
        var page = await OpenAsync(visitor);
        Assert.Contains($"web         | Ready at {visitor.Host.AddressOf("web").ToString().TrimEnd('/')}", visitor.Host.Console, StringComparison.Ordinal);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Map of server-a" })).ToHaveAttributeAsync("href", visitor.Host.ServerA.ToString().TrimEnd('/'));
    }

    private Task<BrowserSession> VisitAsync() => browser.VisitAsync(app.Host);

    private static Task ClickAsync(IPage page, string button) => page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

    /// <summary>Opens the page without the pictures of earlier tests.</summary>
    private static async Task<IPage> OpenAsync(BrowserSession visitor)
    {
        var address = visitor.Host.AddressOf("web");
        using var http = new HttpClient();
        var page = await visitor.NewPageAsync();

        // The web app learns the end of a picture later than the test before, which has waited for the workers.
        await Eventually.GetAsync(
            "a page without the pictures of earlier tests",
            async () =>
            {
                await page.GotoAsync("about:blank");
                using var removed = await http.DeleteAsync(new Uri(address, "/api/pictures/finished"), TestContext.Current.CancellationToken);
                removed.EnsureSuccessStatusCode();
                await page.GotoAsync(address.ToString());
                await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
                return await page.Locator(".card").CountAsync();
            },
            cards => cards == 0);
        await Expect(page.Locator("#empty")).ToBeVisibleAsync();
        return page;
    }

    private static async Task WorkersAreHomeAsync(AppHostRun host)
    {
        await IdleAtHomeAsync(host.ServerA, 1);
        await IdleAtHomeAsync(host.ServerB, 3);

        Task<JsonNode> IdleAtHomeAsync(Uri server, int workers) => Eventually.GetAsync(
            $"{workers} idle workers at home at {server}, and no loan",
            () => host.StatusAsync(server),
            status => Integration.AppHost.MeshApp.IdleAtHome(status).Length == workers && MeshTests.Workers(status).Count() == workers && !MeshTests.Loans(status).Any());
    }
}
