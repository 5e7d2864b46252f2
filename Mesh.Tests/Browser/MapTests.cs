using System.Text.RegularExpressions;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

[Collection(BrowserTests.Name)]
[Trait("Speed", "Slow")]
public sealed class MapTests(BrowserFixture browser, RedisFixture redis)
{
    private const int EnoughForALoan = 200;
    private const int WorkersOfB = 4;

    private static readonly Regex Busy = new("busy");

    /// <summary>The longest time of a wave of the demo and of the loan that it causes.</summary>
    private const float UntilAllAreHome = 45_000;

    [Fact]
    public async Task Map_OfAServerUnderLoad_ShowsABorrowedWorkerAndItsLoan()
    {
        await using var visitor = await browser.VisitAsync();
        var map = await visitor.MapAsync(visitor.Host.ServerA);
        await Expect(map).ToHaveTitleAsync("server-a · mesh map");
        await visitor.Host.SubmitAsync(visitor.Host.ServerA, EnoughForALoan);
        var guest = map.Locator("#guests .chip[data-id]").First;
        await Expect(guest).ToHaveAttributeAsync("data-home", "server-b");
        await Expect(guest).ToHaveAttributeAsync("data-state", Busy);
        var loan = map.Locator(".loan:not(.over)").First;
        await Expect(loan).ToContainTextAsync("borrowed from server-b");
        await Expect(loan.Locator("[aria-current=step]")).ToContainTextAsync("here");
        await Expect(map.Locator("#home .chip")).ToHaveCountAsync(2);
        await visitor.CheckAsync(map, "map");
    }

    [Fact]
    public async Task Maps_BothServers_ShowALoanAndItsReturn()
    {
        await using var visitor = await browser.VisitAsync(animations: true);
        var a = await visitor.MapAsync(visitor.Host.ServerA);
        var b = await visitor.MapAsync(visitor.Host.ServerB);
        await Expect(b.Locator("#home .chip")).ToHaveCountAsync(WorkersOfB, new() { Timeout = UntilAllAreHome });

        await visitor.Host.SubmitAsync(visitor.Host.ServerA, EnoughForALoan);
        var guests = a.Locator("#guests .chip[data-id]");
        await Expect(guests.First).ToBeVisibleAsync();
        var worker = $".chip[data-id='{await guests.First.GetAttributeAsync("data-id")}']";
        await Expect(a.Locator("#guests").Locator(worker)).ToHaveAttributeAsync("data-state", Busy);
        await Expect(b.Locator("#home").Locator(worker)).ToHaveCountAsync(0);
        var away = b.GetByRole(AriaRole.List, new() { Name = "Away at server-a" });
        await Expect(away.Locator(worker)).ToHaveAttributeAsync("data-state", "lent");
        await visitor.PictureAsync(b, "map-owner");

        await Expect(b.Locator("#home").Locator(worker)).ToBeVisibleAsync(new() { Timeout = UntilAllAreHome });
        await Expect(a.Locator("#guests").Locator(worker)).ToHaveCountAsync(0);
        await Expect(away.Locator(worker)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Map_ServerPaused_ShowsItUntilResumed()
    {
        await using var visitor = await browser.VisitAsync();
        var map = await visitor.MapAsync(visitor.Host.ServerB);
        var mark = map.GetByText("Paused", new() { Exact = true });
        await Expect(mark).ToBeHiddenAsync();

        await visitor.Host.OperateAsync(visitor.Host.ServerB, "/pause");
        await Expect(mark).ToBeVisibleAsync();
        await Expect(map.Locator("#news")).ToContainTextAsync("The server is paused");
        await visitor.CheckAsync(map, "map-paused");

        await visitor.Host.OperateAsync(visitor.Host.ServerB, "/resume");
        await Expect(mark).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Map_PeerUnreachable_IsStillReadable()
    {
        await using var visitor = await browser.VisitAsync();
        var id = $"map-{Guid.NewGuid():N}";
        await using var server = await MeshProcess.ServerAsync(
            redis, id, RedisProcess.FreePort(), [("server-away", RedisProcess.FreePort())], new() { ["Token"] = visitor.Host.Token });
        var map = await visitor.MapAsync(new Uri($"http://127.0.0.1:{server.Port}"));
        await Expect(map.Locator(".peer[data-alive=false] .peer-state")).ToHaveTextAsync("away");
        await visitor.CheckAsync(map, "map-away");
        await map.CloseAsync();
    }

    [Fact]
    public async Task Map_Keyboard_OpensThePeersMap()
    {
        await using var visitor = await browser.VisitAsync();
        var map = await visitor.NewPageAsync();
        await map.GotoAsync(visitor.Host.ServerA.ToString());
        await Expect(map.Locator("#token")).ToBeFocusedAsync();
        await map.Keyboard.TypeAsync(visitor.Host.Token);
        await map.Keyboard.PressAsync("Enter");
        var peer = map.GetByRole(AriaRole.Link, new() { Name = "server-b" });
        await Expect(peer).ToBeVisibleAsync();
        await map.Keyboard.PressAsync("Tab");
        await Expect(peer).ToBeFocusedAsync();
        await map.Keyboard.PressAsync("Enter");
        await Expect(map).ToHaveURLAsync(visitor.Host.ServerB.ToString());
        await Expect(map.Locator("#token")).ToBeFocusedAsync();
    }
}
