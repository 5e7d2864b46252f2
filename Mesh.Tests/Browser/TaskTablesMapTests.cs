using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

/// <summary>The map's task types, scheduled tasks and schedules.</summary>
[Collection(BrowserTests.Name)]
[Trait("Speed", "Slow")]
public sealed class TaskTablesMapTests(BrowserFixture browser, RedisFixture redis)
{
    [Fact]
    public async Task Map_TasksOfSeveralTypesAndASchedule_AreListed()
    {
        await using var context = await browser.NewContextAsync();
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort());
        var map = await context.NewPageAsync();
        await map.GotoAsync($"http://127.0.0.1:{server.Port}/");
        await Expect(map.Locator("#types tr")).ToHaveTextAsync("No task is waiting or running.");
        await Expect(map.Locator("#schedules tr")).ToContainTextAsync("No schedule.");

        await server.SubmitAsync(new { type = "RESIZE" }, new { type = "RESIZE" }, new { type = "QUERY", user = "maria" }, new { type = "QUERY", user = "maria", delay = "01:00:00" });
        using var put = await server.Http.PutAsJsonAsync(
            new Uri("/schedules/nightly", UriKind.Relative), new { cron = "0 3 * * *", task = new { type = "RESIZE" } }, TestContext.Current.CancellationToken);
        put.EnsureSuccessStatusCode();

        await Expect(map.Locator("#types tr")).ToHaveTextAsync(["RESIZE20", "QUERY10"]);
        await Expect(map.Locator("#n-scheduled")).ToHaveTextAsync("1");
        var schedule = map.Locator("#schedules tr td");
        await Expect(schedule.Nth(0)).ToHaveTextAsync("nightly");
        await Expect(schedule.Nth(1)).ToHaveTextAsync("0 3 * * *");
        await Expect(schedule.Nth(2)).ToHaveTextAsync("RESIZE");
        await Expect(schedule.Nth(3)).ToContainTextAsync(new Regex("\\d\\d:00:00"));
        await Accessibility.CheckAsync(map);
    }
}
