using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using MeshAspire.Embedded.Running;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mesh.Tests.Browser;

/// <summary>
/// Minutes of load on a dashboard whose every store is full, while a person looks at it. By hand, since it takes so long:
/// <c>dotnet Mesh.Tests.dll -explicit only -class '*SoakTests' -showLiveOutput</c>.
/// </summary>
[Collection(BrowserTests.Name)]
public sealed class SoakTests(BrowserFixture browser, ITestOutputHelper output)
{
    private const string Key = "the-key";
    private const string Token = "the-token";
    private const int SpansPerSecond = 5_000;
    private const int SpansPerTrace = 5;
    private const int PointsKept = 600;
    private const int PointsAtOnce = 20;
    private const int RoundsPerSecond = 5;

    /// <summary>Stated in docs/dashboard.md.</summary>
    private const long MemoryLimit = 512L << 20;

    private static readonly TimeSpan Length = TimeSpan.FromMinutes(
        double.Parse(Environment.GetEnvironmentVariable("MESH_SOAK_MINUTES") ?? "3", CultureInfo.InvariantCulture));

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    [Fact(Explicit = true)]
    public async Task Dashboard_UnderMinutesOfLoad_AnswersAndLevelsOff()
    {
        await using var context = await browser.NewContextAsync();
        var (port, grpc, http) = (RedisProcess.FreePort(), RedisProcess.FreePort(), RedisProcess.FreePort());
        using var process = Process.Start(DotNet.Path, [
            Program(), $"--Dashboard:Port={port}", $"--Dashboard:OtlpGrpcPort={grpc}", $"--Dashboard:OtlpHttpPort={http}", $"--Dashboard:Token={Token}", $"--Dashboard:OtlpKey={Key}"]);
        try
        {
            var page = await context.NewPageAsync();
            var login = $"http://localhost:{port}/login?t={Token}";
            await Eventually.GetAsync("the dashboard answers", () => AnswersAsync(login), answers => answers, TimeSpan.FromSeconds(90));
            await page.GotoAsync(login);
            Say(process, "started");
            using var load = new TelemetryLoad(new Uri($"http://localhost:{http}"), Key);
            for (var sent = 0; sent < PointsKept; sent += PointsAtOnce)
            {
                await load.SendPointsAsync(PointsAtOnce);
            }

            Say(process, "2,000 series of 600 points");
            using var over = new CancellationTokenSource(Length);
            var began = Stopwatch.GetTimestamp();
            var sending = SendAsync(load, over.Token);
            var slowest = await LookAsync(page, process, load, over.Token);
            await sending;
            var perSecond = load.Spans / Stopwatch.GetElapsedTime(began).TotalSeconds;
            output.WriteLine($"{perSecond:0} spans/s; slowest answer {slowest.TotalMilliseconds:0} ms");
            Assert.InRange(perSecond, 0.9 * SpansPerSecond, 1.1 * SpansPerSecond);
            Assert.InRange(slowest, TimeSpan.Zero, AnswerLimit);
            process.Refresh();
            Assert.InRange(process.WorkingSet64, 0, MemoryLimit);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static string Program() => typeof(SoakTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(program => program.Key == "MeshAspire.Embedded.Dashboard").Value!;

    private static async Task<bool> AnswersAsync(string address)
    {
        using var client = new HttpClient();
        try
        {
            using var answer = await client.GetAsync(address, TestContext.Current.CancellationToken);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task SendAsync(TelemetryLoad load, CancellationToken over)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1) / RoundsPerSecond);
        while (!over.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            await load.SendTracesAsync(SpansPerSecond / SpansPerTrace / RoundsPerSecond);
        }
    }

    /// <summary>Goes from page to page, as a person would; returns how long the slowest took, but for the first of each, which the runtime compiles.</summary>
    private async Task<TimeSpan> LookAsync(IPage page, Process process, TelemetryLoad load, CancellationToken over)
    {
        var slowest = TimeSpan.Zero;
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var round = 0; !over.IsCancellationRequested; round++)
        {
            var (name, row) = (round % 2) switch { 0 => ("Traces", "dispatch QUERY"), _ => ("Structured logs", "is done by") };
            var began = Stopwatch.GetTimestamp();
            await page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).ClickAsync();
            await Expect(page.Locator("[data-row]").Filter(new() { HasText = row }).First).ToBeVisibleAsync();
            var took = Stopwatch.GetElapsedTime(began);
            slowest = round > 1 && took > slowest ? took : slowest;
            if (round % 10 == 9)
            {
                Say(process, $"{load.Spans} spans, last answer {took.TotalMilliseconds:0} ms");
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return slowest;
    }

    private void Say(Process process, string what)
    {
        process.Refresh();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{process.WorkingSet64 >> 20,5} MiB  {what}"));
    }
}
