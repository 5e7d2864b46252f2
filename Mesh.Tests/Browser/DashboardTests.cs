using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

/// <summary>The mesh in Aspire's dashboard.</summary>
[Collection(BrowserTests.Name)]
[Trait("Speed", "Slow")]
public sealed class DashboardTests(BrowserFixture browser)
{
    private const int Resources = 9;

    [Fact]
    public async Task Resources_OfTheAppHost_RunAndHaveTheirUrls()
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.DashboardAsync();
        var rows = page.Locator("tr.resource-row, tr.fluent-data-grid-row").Filter(new() { HasText = "Running" });
        await Expect(rows).ToHaveCountAsync(Resources);
        var server = rows.Filter(new() { HasText = "server-a" });
        await Expect(server.GetByRole(AriaRole.Link, new() { Name = "Map" })).ToHaveAttributeAsync("href", visitor.Host.ServerA.ToString().TrimEnd('/'));
        await Expect(server.GetByRole(AriaRole.Link, new() { Name = "API" })).ToHaveAttributeAsync("href", new Uri(visitor.Host.ServerA, "/openapi/v1.json").ToString());
        await visitor.PictureAsync(page, "resources");
    }

    [Fact]
    public async Task Metrics_OfAServer_AreListedByName()
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.DashboardAsync("/metrics/resource/server-a");
        await page.GetByTitle("mesh.queue.depth", new() { Exact = true }).ClickAsync();
        await Expect(page.GetByText("Tasks that wait for a worker.")).ToBeVisibleAsync();
        await visitor.PictureAsync(page, "metrics");
    }
}
