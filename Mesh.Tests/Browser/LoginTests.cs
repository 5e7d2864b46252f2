using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed class LoginTests(BrowserFixture browser)
{
    [Theory]
    [InlineData("/")]
    [InlineData("/console")]
    [InlineData("/logs")]
    [InlineData("/traces?errors=true")]
    [InlineData("/metrics")]
    public async Task Page_WithoutTheToken_IsTheLogin(string path)
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.NewPageAsync();
        await page.GotoAsync(new Uri(visitor.Host.Login, path).ToString());
        Assert.Equal("/login", new Uri(page.Url).AbsolutePath);
        await Expect(page.GetByLabel("Token")).ToBeFocusedAsync();
        await Expect(page.GetByRole(AriaRole.Navigation)).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData("/base.css")]
    [InlineData("/dashboard.js")]
    [InlineData("/_framework/blazor.web.js")]
    [InlineData("/_blazor/negotiate")]
    public async Task Asset_WithoutTheToken_IsRefused(string path)
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.NewPageAsync();
        var answer = await page.APIRequest.GetAsync(new Uri(visitor.Host.Login, path).ToString());
        Assert.Equal(401, answer.Status);
        Assert.Empty(await answer.BodyAsync());
    }

    [Fact]
    public async Task Login_ByTheForm_LeadsToThePageWanted()
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.NewPageAsync();
        await page.GotoAsync(new Uri(visitor.Host.Login, "/traces").ToString());
        await visitor.PictureAsync(page, "login");
        await page.GetByLabel("Token").FillAsync("a guess");
        await page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("That isn't the token of this run");

        await page.GetByLabel("Token").FillAsync(visitor.Host.Login.Query.Split('=')[1]);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex("/traces$"));
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Traces", Level = 1 })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Log out" }).ClickAsync();
        await Expect(page.GetByLabel("Token")).ToBeFocusedAsync();
        await page.GotoAsync(new Uri(visitor.Host.Login, "/traces").ToString());
        await Expect(page).ToHaveURLAsync(new Regex("/login"));
    }

    [Fact]
    public async Task Map_WithAWrongToken_ShowsNothing()
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.NewPageAsync();
        await page.GotoAsync(visitor.Host.ServerA.ToString());
        await Expect(page.GetByLabel("Token")).ToBeFocusedAsync();
        await visitor.PictureAsync(page, "map-token");
        await page.Keyboard.TypeAsync("a guess");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("That is not this server's token.");
        await Expect(page.GetByRole(AriaRole.Main)).ToBeHiddenAsync();
        await Expect(page.GetByText("server-a")).ToHaveCountAsync(0);
    }
}
