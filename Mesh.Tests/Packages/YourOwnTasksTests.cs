using System.Text.RegularExpressions;
using Mesh.Tests.Browser;
using Mesh.Tests.Integration;
using Mesh.Tests.Publishing;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Packages;

/// <summary>The tutorial docs/your-own-tasks.md, done as a reader does it: its files and shell blocks, the packages, and the server as a program.</summary>
[Collection(PackageTests.Name)]
[Trait("Speed", "Slow")]
public sealed partial class YourOwnTasksTests(TutorialFixture tutorial, BrowserFixture browser)
{
    [Fact]
    public async Task RunIt_Block_PrintsTheResult()
    {
        var output = await RunScriptAsync("Run it");

        Assert.Contains("\"state\":\"Done\",\"progress\":null,\"result\":{\"words\":18,\"letters\":58}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BorrowWorkers_Block_BorrowsAndReturnsAWorker()
    {
        var (run, solution) = (await tutorial.RunAsync(), await tutorial.SolutionAsync());

        var borrowing = run.StatusAsync(
            solution.ServerA, "works with a worker of server-b", status => status["loans"]!.AsArray().Any(loan => (string)loan!["owner"]! == "server-b" && (string)loan["state"]! == "arrived"));
        var ids = TaskId().Matches(await RunScriptAsync("Borrow workers")).Select(id => id.Value).ToList();
        var loan = (await borrowing)["loans"]!.AsArray().Single()!;

        Assert.Equal(26, ids.Count);
        var done = await Task.WhenAll(ids.Select(run.DoneAsync));
        Assert.All(done, text => Assert.Equal("""{"words":10,"letters":39}""", text["result"]!.ToJsonString()));
        Assert.Contains((string)loan["worker"]!, done.Select(text => (string)text["worker"]!));
        await run.StatusAsync(solution.ServerA, "has returned the worker", status => status["loans"]!.AsArray().Count == 0);
        await run.StatusAsync(solution.ServerB, "its workers are at home", status => TutorialRun.Workers(status, "idle") == 2);
    }

    [Fact]
    public async Task CancelATask_Block_EndsTheHandler()
    {
        var output = await RunScriptAsync("Cancel a task");

        Assert.Matches("\"state\":\"Running\",\"progress\":0\\.\\d+", output);
        Assert.Contains("CancellationRequested", output, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"Cancelled\"", output, StringComparison.Ordinal);
        await (await tutorial.RunAsync()).StatusAsync(
            (await tutorial.SolutionAsync()).ServerA, "its worker is free", status => (int)status["running"]! == 0 && TutorialRun.Workers(status, "idle") == 1);
    }

    [Fact]
    public async Task Server_KilledAndStartedAgain_HasItsTasks()
    {
        var run = await tutorial.RunAsync();
        var accepted = await Task.WhenAll(Enumerable.Range(1, 5).Select(_ => run.SubmitAsync("one two three four five six")));

        var server = await run.KillAsync("server-a");
        var submission = run.SubmitAsync("seven eight");
        run.Restart(server);

        Assert.Equal(2, (int)(await run.DoneAsync(await submission))["result"]!["words"]!);
        Assert.All(await Task.WhenAll(accepted.Select(run.DoneAsync)), text => Assert.Equal(6, (int)text["result"]!["words"]!));
        Assert.Equal(1, (int)(await run.DoneAsync(await run.SubmitAsync("nine")))["result"]!["words"]!);
    }

    [Fact]
    public async Task Trace_OfAText_HasSpansOfWebServiceServerAndWorker()
    {
        await using var context = await browser.NewContextAsync();
        var run = await tutorial.RunAsync();
        var text = await run.DoneAsync(await run.SubmitAsync("one two"));
        var login = await run.LoginAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(login.ToString());
        await Expect(page.GetByText("Showing")).ToBeVisibleAsync();

        // The page does not wait for spans that have not been received yet.
        await Eventually.GetAsync(
            "the trace of the text with its spans",
            async () =>
            {
                await page.GotoAsync(new Uri(login, $"/traces/detail/{text["traceId"]}").ToString());
                await Expect(page.GetByText("Total spans").Or(page.GetByText("not found"))).ToBeVisibleAsync();
                return string.Join('\n', await page.Locator("[title*=': ']").EvaluateAllAsync<string[]>("spans => spans.map(span => span.title)"));
            },
            titles => Spans().All(span => span.IsMatch(titles)));
    }

    [Fact]
    public async Task Readme_WorkerAndClient_Compile()
    {
        var solution = await tutorial.SolutionAsync();
        var blocks = ShellBlocks.Of("README.md", "Your own tasks", "csharp");
        Assert.Equal(2, blocks.Count);
        foreach (var (project, block) in new[] { "Worker", "Web" }.Zip(blocks))
        {
            Assert.InRange(block.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 5, 10);
            await solution.WriteAsync($"Readme.{project}/Readme.{project}.csproj", TutorialPage.Files.Single(file => file.Name.EndsWith($".{project}.csproj", StringComparison.Ordinal)).Text);
            await solution.WriteAsync($"Readme.{project}/Program.cs", block);
        }

        await solution.WriteAsync("Readme.slnx", """<Solution><Project Path="Readme.Worker/Readme.Worker.csproj" /><Project Path="Readme.Web/Readme.Web.csproj" /></Solution>""");
        await using var shell = solution.Shell();
        await shell.RunAsync("dotnet build Readme.slnx");
    }

    /// <summary>Runs the shell blocks of a section.</summary>
    /// <returns>What they write.</returns>
    private async Task<string> RunScriptAsync(string section)
    {
        await tutorial.RunAsync();
        var solution = await tutorial.SolutionAsync();
        await using var shell = solution.Shell();
        await shell.RunAsync(solution.WithPorts(TutorialPage.Script(section)));
        return shell.Output;
    }

    /// <summary>The titles of the spans of a text's trace, one on each line.</summary>
    private static IEnumerable<Regex> Spans() => new[]
    {
        "web: POST /texts", "web: MSG mesh submit COUNT", "server-a: POST /tasks", "server-a: MSG mesh submit COUNT", "server-a: queue COUNT", "server-a: MSG mesh dispatch COUNT",
        @"workers-[ab](-\w+)?: MSG mesh process COUNT", "server-a: settle COUNT",
    }.Select(title => new Regex($"^{title}$", RegexOptions.Multiline));

    [GeneratedRegex("^[0-9a-f]{32}$", RegexOptions.Multiline)]
    private static partial Regex TaskId();
}
