using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using Mesh.Tests.Integration.AppHost;

namespace Mesh.Tests.Packages;

/// <summary>The AppHost of the tutorial as a process, with a Redis of its own. Disposing it kills its processes.</summary>
internal sealed class TutorialRun : IAsyncDisposable
{
    private readonly TutorialSolution _solution;
    private readonly RedisProcess _redis;
    private readonly AppHostProcess _host;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromMinutes(2) };
    private Process? _restarted;

    private TutorialRun(TutorialSolution solution, RedisProcess redis)
    {
        (_solution, _redis) = (solution, redis);
        _host = AppHostProcess.OfBlock(
            TutorialPage.AppHost,
            solution.Folder,
            new()
            {
                ["ConnectionStrings__redis"] = redis.ConnectionString,
                ["DASHBOARD__DATA__PERSISTENCEMODE"] = "None",
                ["ASPIRE_VERSION_CHECK_DISABLED"] = "true",
            });
    }

    public static async Task<TutorialRun> StartAsync(TutorialSolution solution)
    {
        var run = new TutorialRun(solution, await RedisProcess.StartAsync(TestContext.Current.CancellationToken));
        try
        {
            await run._host.LineAsync("Login to the dashboard at ");
            await run.StatusAsync(solution.ServerA, "its worker is at home", status => Workers(status, "idle") == 1);
            await run.StatusAsync(solution.ServerB, "its workers are at home", status => Workers(status, "idle") == 2);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>The address of the dashboard with the token of its login.</summary>
    public async Task<Uri> LoginAsync() => new((await _host.LineAsync("Login to the dashboard at ")).Split(' ').Single(word => word.StartsWith("http", StringComparison.Ordinal)));

    /// <summary>Submits a text to the web service, and returns the id of the task.</summary>
    public async Task<string> SubmitAsync(string content)
    {
        using var answer = await _http.PostAsJsonAsync(new Uri(_solution.Web, "/texts"), new { content }, TestContext.Current.CancellationToken);
        var id = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {id}\n{_host.Output}");
        return id;
    }

    /// <summary>Waits until the web service shows a task that satisfies a condition.</summary>
    public async Task<JsonNode> TextAsync(string id, string awaited, Func<JsonNode, bool> satisfies) => (await Eventually.GetAsync(
        $"text {id}: {awaited}", () => _http.GetFromJsonAsync<JsonNode>(new Uri(_solution.Web, $"/texts/{id}"), TestContext.Current.CancellationToken), text => satisfies(text!), details: () => _host.Output))!;

    public Task<JsonNode> DoneAsync(string id) => TextAsync(id, "done", text => (string)text["state"]! == "Done");

    /// <summary>Waits for a status of a server that satisfies a condition. The server may be starting meanwhile.</summary>
    public async Task<JsonNode> StatusAsync(Uri server, string awaited, Func<JsonNode, bool> satisfies) => (await Eventually.GetAsync(
        $"{server}: {awaited}",
        async () =>
        {
            try
            {
                return await _http.GetFromJsonAsync<JsonNode>(new Uri(server, "/status"), TestContext.Current.CancellationToken);
            }
            catch (HttpRequestException fault) when (fault.StatusCode is null or HttpStatusCode.ServiceUnavailable)
            {
                return null;
            }
        },
        status => status is not null && satisfies(status),
        details: () => _host.Output))!;

    /// <summary>The number of workers of a server that are at home in this state.</summary>
    public static int Workers(JsonNode status, string state) =>
        status["workers"]!.AsArray().Count(worker => (string)worker!["home"]! == (string)status["id"]! && (string)worker["state"]! == state);

    /// <summary>Kills a server, and waits until its process has ended.</summary>
    /// <returns>How to start it again: the program with the environment that the AppHost gave it.</returns>
    public async Task<ProcessStartInfo> KillAsync(string server)
    {
        using var process = Process.GetProcessById(_host.ProcessWith("Mesh__ServerId", server));
        var directory = $"/proc/{process.Id}";
        var start = new ProcessStartInfo("dotnet", File.ReadAllText($"{directory}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries)[1..])
        {
            WorkingDirectory = new FileInfo($"{directory}/cwd").LinkTarget,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var variable in File.ReadAllText($"{directory}/environ").Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            start.Environment[variable.Split('=')[0]] = variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..];
        }

        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).OrFailAsync($"the end of {server}");
        return start;
    }

    /// <summary>Starts a killed server again.</summary>
    public void Restart(ProcessStartInfo start)
    {
        _restarted = Process.Start(start)!;
        _restarted.BeginOutputReadLine();
        _restarted.BeginErrorReadLine();
    }

    /// <summary>Stops the AppHost with Ctrl-C. Fails when it leaves a process.</summary>
    public async Task StopAsync()
    {
        _host.Signal(AppHostProcess.Interrupt);
        Assert.Equal(0, await _host.ExitAsync());
        _restarted?.Kill();
        await _host.GoneAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _restarted?.Kill();
        _restarted?.Dispose();
        await _host.DisposeAsync();
        await _redis.DisposeAsync();
    }
}
