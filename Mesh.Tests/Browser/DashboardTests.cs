using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed class DashboardTests(BrowserFixture browser)
{
    private const int Resources = 9;

    [Fact]
    public async Task Resources_OfTheAppHost_AreAllHealthy()
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.DashboardAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync($"All {Resources} healthy");
        var rows = page.GetByRole(AriaRole.Table, new() { Name = "Resources" }).Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(Resources);
        await Expect(rows.Filter(new() { HasText = "Healthy" })).ToHaveCountAsync(Resources);
    }

    [Fact]
    public async Task Secret_InTheEnvironment_IsShownWhenAskedFor()
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.DashboardAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "server-a", Exact = true }).ClickAsync();
        var details = page.GetByRole(AriaRole.Complementary, new() { Name = "Details of server-a" });
        await Expect(details).ToContainTextAsync("Mesh__ServerId");
        await Expect(details.GetByText(visitor.Host.Token)).ToHaveCountAsync(0);
        await details.GetByRole(AriaRole.Button, new() { Name = "Show Mesh__Token" }).ClickAsync();
        await Expect(details.GetByText(visitor.Host.Token)).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData(ColorScheme.Light, "")]
    [InlineData(ColorScheme.Dark, "-dark")]
    public async Task Pages_InLightAndDark_ShowWhatTheyAreForAndAreAccessible(ColorScheme scheme, string suffix)
    {
        await using var visitor = await browser.VisitAsync(scheme);
        var page = await visitor.DashboardAsync();
        async Task ShownAsync(string name, ILocator content)
        {
            await Expect(content).ToBeVisibleAsync();
            await visitor.PictureAsync(page, name + suffix);
        }

        Task CheckAsync() => Accessibility.CheckAsync(page, scheme);

        Task GoAsync(string name) => page.GetByRole(AriaRole.Navigation, new() { Name = "Pages" }).GetByRole(AriaRole.Link, new() { Name = name }).ClickAsync();

        var server = page.GetByRole(AriaRole.Button, new() { Name = "server-a", Exact = true });
        await ShownAsync("resources", server);
        await server.ClickAsync();
        await ShownAsync("resource", page.GetByRole(AriaRole.Complementary, new() { Name = "Details of server-a" }));
        await CheckAsync();
        await page.GetByRole(AriaRole.Complementary).GetByRole(AriaRole.Link, new() { Name = "Console" }).ClickAsync();
        await ShownAsync("console", page.GetByRole(AriaRole.Log).GetByText("Demo load: a wave of 200 tasks").First);
        await CheckAsync();
        await GoAsync("Structured logs");
        var record = page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Demo load: a wave") }).First;
        await ShownAsync("logs", record);
        await record.ClickAsync();
        await ShownAsync("log", page.GetByRole(AriaRole.Complementary, new() { Name = "Log record" }));
        await CheckAsync();
        await GoAsync("Traces");
        await ShownAsync("traces", page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("submit (QUERY|UPDATE)") }).First);
        await CheckAsync();
        await GoAsync("Metrics");
        await page.GetByRole(AriaRole.Link, new() { Name = "mesh.queue.depth" }).ClickAsync();
        await ShownAsync("metrics", page.GetByRole(AriaRole.Img, new() { NameRegex = new Regex("^Value: ") }));
        await page.GetByRole(AriaRole.Link, new() { Name = "mesh.task.queue.duration" }).ClickAsync();
        await ShownAsync("histogram", page.GetByRole(AriaRole.Img, new() { NameRegex = new Regex("^Percentiles: ") }));
        await CheckAsync();
    }

    [Fact]
    public async Task Theme_Switched_StaysSoWhenThePageIsLoadedAnew()
    {
        const string Ground = "getComputedStyle(document.body).backgroundColor";
        await using var visitor = await browser.VisitAsync(ColorScheme.Dark);
        var page = await visitor.DashboardAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Light theme" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Dark theme" })).ToBeVisibleAsync();
        var light = await page.EvaluateAsync<string>(Ground);
        await page.ReloadAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Dark theme" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Light theme" })).ToBeVisibleAsync();
        Assert.NotEqual(light, await page.EvaluateAsync<string>(Ground));
    }

    [Fact]
    public async Task Dashboard_ByTheKeyboard_LeadsToASpan()
    {
        await using var visitor = await browser.VisitAsync();
        var trace = await visitor.Host.SubmitAsync(visitor.Host.ServerB);
        var page = await visitor.DashboardAsync();
        var heading = page.GetByRole(AriaRole.Heading, new() { Level = 1 });
        await Expect(heading).ToHaveTextAsync("Resources");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Skip to the content" })).ToBeFocusedAsync();
        for (var on = 0; on < 4; on++)
        {
            await page.Keyboard.PressAsync("Tab");
        }

        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Traces", Exact = true })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(heading).ToHaveTextAsync("Traces");

        await page.GetByRole(AriaRole.Searchbox, new() { Name = "Filter by name, value or trace id" }).FocusAsync();
        await page.Keyboard.TypeAsync(trace);
        var found = page.Locator("[data-row]");
        await Expect(found).ToHaveCountAsync(1);
        await found.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(heading).ToHaveTextAsync("POST /tasks");

        var spans = page.Locator("[data-row]");
        await Expect(spans).ToHaveCountAsync(7);
        await spans.First.FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(spans.Nth(1)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Complementary)).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Complementary)).ToHaveCountAsync(0);
        await Expect(spans.Nth(1)).ToBeFocusedAsync();
    }
}
