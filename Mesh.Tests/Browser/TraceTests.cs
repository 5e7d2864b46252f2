using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed partial class TraceTests(BrowserFixture browser)
{
    private const int EnoughForALoan = 120;

    /// <summary>The tasks of this test, and of a wave of the demo that may come just then.</summary>
    private const float UntilTheReturn = 45_000;

    [Fact]
    public async Task Trace_OfASubmittedTask_HasSpansOfServerAndWorker()
    {
        await using var visitor = await browser.VisitAsync();
        var page = await visitor.DashboardAsync("/traces");
        var trace = await visitor.Host.SubmitAsync(visitor.Host.ServerB);
        await page.GotoAsync(new Uri(visitor.Host.Login, $"/traces/{trace}").ToString());

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "POST /tasks" })).ToBeVisibleAsync();
        var spans = Spans(page);
        await Expect(spans).ToHaveCountAsync(7);
        await Expect(spans.Nth(1)).ToHaveTextAsync("server-b submit QUERY");
        await Expect(spans.Filter(new() { HasText = "server-b" })).ToHaveCountAsync(5);
        await Expect(spans.Filter(new() { HasTextRegex = WorkerOfB() })).ToHaveTextAsync([new Regex("process QUERY"), new Regex("GET")]);
        await Expect(page.Locator(".failed")).ToHaveCountAsync(0);

        await spans.Filter(new() { HasText = "process QUERY" }).ClickAsync();
        var details = page.GetByRole(AriaRole.Complementary, new() { Name = "Span process QUERY" });
        await Expect(details).ToContainTextAsync("messaging.destination.name");
        await visitor.PictureAsync(page, "task-trace");
    }

    [Fact]
    public async Task Trace_OfALoan_HasSpansOfBothServersAndTheWorkerAndLeadsToItsReturn()
    {
        await using var visitor = await browser.VisitAsync();
        await visitor.DashboardAsync();
        var map = await visitor.MapAsync(visitor.Host.ServerA);
        await visitor.Host.SubmitAsync(visitor.Host.ServerA, EnoughForALoan);
        var loan = await map.RunAndWaitForPopupAsync(() => map.Locator(".loan:not(.over) .loan-trace").First.ClickAsync());

        var spans = Spans(loan);
        await Expect(loan.GetByRole(AriaRole.Heading, new() { Name = "request workers" })).ToBeVisibleAsync();
        await Expect(spans.Filter(new() { HasText = "server-a request workers" })).ToHaveCountAsync(1);
        await Expect(spans.Filter(new() { HasText = "server-b lend worker" }).First).ToBeVisibleAsync();
        await Expect(spans.Filter(new() { HasTextRegex = WorkerOfB() }).Filter(new() { HasText = "join borrower" }).First).ToBeVisibleAsync();
        await Expect(spans.Filter(new() { HasText = "server-a worker arrives" }).First).ToBeVisibleAsync();
        await Expect(spans.Filter(new() { HasText = "server-a first task" }).First).ToBeVisibleAsync();
        var back = loan.GetByRole(AriaRole.Region, new() { Name = "Linked traces" }).GetByRole(AriaRole.Link, new() { Name = "server-a: release workers" });
        await Expect(back).ToBeVisibleAsync(new() { Timeout = UntilTheReturn });
        await visitor.PictureAsync(loan, "loan-trace");

        await back.ClickAsync();
        await Expect(loan.GetByRole(AriaRole.Heading, new() { Name = "release workers", Level = 1 })).ToBeVisibleAsync();
        await Expect(spans.Filter(new() { HasTextRegex = WorkerOfB() }).Filter(new() { HasText = "go home" }).First).ToBeVisibleAsync();
        await Expect(spans.Filter(new() { HasText = "server-b worker comes home" }).First).ToBeVisibleAsync();
        await Expect(spans.Filter(new() { HasText = "server-a loan completed" }).First).ToBeVisibleAsync();
        await visitor.PictureAsync(loan, "return-trace");

        await loan.GetByRole(AriaRole.Complementary).GetByRole(AriaRole.Link).First.ClickAsync();
        await Expect(loan.GetByRole(AriaRole.Heading, new() { Name = "request workers", Level = 1 })).ToBeVisibleAsync();
    }

    private static ILocator Spans(IPage page) => page.GetByRole(AriaRole.Treegrid, new() { Name = "Spans" }).Locator("[data-row]");

    [GeneratedRegex(@"workers-b-\d ")]
    private static partial Regex WorkerOfB();
}
