using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

[Collection(BrowserTests.Name)]
[Trait("Speed", "Slow")]
public sealed class LoginTests(BrowserFixture browser)
{
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
