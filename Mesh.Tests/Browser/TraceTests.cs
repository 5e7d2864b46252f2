using System.Text.RegularExpressions;
using Mesh.Tests.Integration;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

/// <summary>The traces of tasks and loans in Aspire's dashboard.</summary>
[Collection(BrowserTests.Name)]
[Trait("Speed", "Slow")]
public sealed partial class TraceTests(BrowserFixture browser)
{
    private const int EnoughForALoan = 120;

    /// <summary>In milliseconds: the time for the tasks of this test and of a wave of the demo that may start meanwhile.</summary>
    private const float UntilTheReturn = 45_000;

    [Fact]
    public async Task Trace_OfASubmittedTask_HasSpansOfServerAndWorker()
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.DashboardAsync();
        var trace = await visitor.Host.SubmitAsync(visitor.Host.ServerB);
        // The page does not wait for a trace that has not been received yet.
        await Eventually.GetAsync(
            "the trace of the task",
            async () =>
            {
                await page.GotoAsync(new Uri(visitor.Host.Login, $"/traces/detail/{trace}").ToString());
                await Expect(page.GetByText("Total spans").Or(page.GetByText("not found")).First).ToBeVisibleAsync();
                return await Span(page, "server-b: settle QUERY").CountAsync();
            },
            settled => settled == 1);
        await Expect(Span(page, "server-b: POST /tasks")).ToHaveCountAsync(1);
        await Expect(Span(page, "server-b: MSG mesh submit QUERY")).ToHaveCountAsync(1);
        await Expect(Span(page, "server-b: MSG mesh dispatch QUERY")).ToHaveCountAsync(1);
        await Expect(page.GetByTitle(WorkerProcesses())).ToHaveCountAsync(1);
        await Expect(Span(page, "server-b: settle QUERY")).ToHaveCountAsync(1);
        await visitor.PictureAsync(page, "task-trace");
    }

    [Fact]
    public async Task Trace_Loan_LinksToItsReturn()
    {
        await using var visitor = await browser.VisitAsync();
        await visitor.DashboardAsync();
        var map = await visitor.MapAsync(visitor.Host.ServerA);
        await visitor.Host.SubmitAsync(visitor.Host.ServerA, EnoughForALoan);
        var page = await map.RunAndWaitForPopupAsync(() =>
            map.Locator(".loan:not(.over)").Filter(new() { HasText = "borrowed from" }).Locator(".loan-trace").First.ClickAsync());
        await page.SetViewportSizeAsync(1280, 720);

        await Expect(Span(page, "server-a: request workers")).ToHaveCountAsync(1);
        await Expect(Span(page, "server-b: lend worker").First).ToBeVisibleAsync();
        await Expect(page.GetByTitle(WorkerJoins()).First).ToBeVisibleAsync();
        await Expect(Span(page, "server-a: worker arrives").First).ToBeVisibleAsync();
        await Expect(Span(page, "server-a: first task").First).ToBeVisibleAsync();
        await visitor.PictureAsync(page, "loan-trace");

        // The return is a later trace, which links to the loan's spans.
        await Expect(map.Locator(".loan:not(.over)")).ToHaveCountAsync(0, new() { Timeout = UntilTheReturn });
        var back = page.Locator("fluent-accordion-item").Filter(new() { HasText = "Backlinks" }).Locator("tr").Filter(new() { HasText = "server-a: release workers" });
        await Eventually.GetAsync(
            "the link to the return",
            async () =>
            {
                await page.ReloadAsync();
                await OpenDetailsAsync(Span(page, "server-a: request workers"));
                await Expect(page.GetByText("TraceId")).ToBeVisibleAsync();
                return await back.CountAsync();
            },
            links => links > 0);
        await visitor.PictureAsync(page, "loan-details");
        await back.First.Locator("fluent-button").Last.ClickAsync();
        await Expect(Span(page, "server-a: release workers")).ToHaveCountAsync(1);
        await Expect(page.GetByTitle(WorkerGoesHome()).First).ToBeVisibleAsync();
        await Expect(Span(page, "server-b: worker comes home").First).ToBeVisibleAsync();
        await visitor.PictureAsync(page, "return-trace");
    }

    private static ILocator Span(IPage page, string title) => page.GetByTitle(title, new() { Exact = true });

    private static async Task OpenDetailsAsync(ILocator span)
    {
        await span.Page.Locator("tr.fluent-data-grid-row").Filter(new() { Has = span }).First.GetByRole(AriaRole.Button, new() { Name = "Actions" }).ClickAsync();
        await span.Page.GetByRole(AriaRole.Menuitem, new() { Name = "View details" }).ClickAsync();
    }

    [GeneratedRegex(@"^workers-b-\w+: MSG mesh process QUERY$")]
    private static partial Regex WorkerProcesses();

    [GeneratedRegex(@"^workers-b-\w+: join borrower$")]
    private static partial Regex WorkerJoins();

    [GeneratedRegex(@"^workers-b-\w+: go home$")]
    private static partial Regex WorkerGoesHome();
}
