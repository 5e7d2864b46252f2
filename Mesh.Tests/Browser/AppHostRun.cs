using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mesh.Tests.Fixtures;
using MeshAspire.Embedded.Running;

namespace Mesh.Tests.Browser;

/// <summary>The AppHost as people start it, with a data directory and ports of its own. Ended, with all that it started, when disposed.</summary>
internal sealed class AppHostRun : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("mesh-apphost-");
    private readonly Dictionary<string, Uri> _addresses = [];
    private readonly List<string> _lines = [];
    private readonly Process _process;
    private Task _reading = Task.CompletedTask;

    private AppHostRun()
    {
        var dashboard = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{RedisProcess.FreePort()}");
        _process = Process.Start(new ProcessStartInfo(DotNet.Path, [Path.Combine(AppContext.BaseDirectory, "MeshAspire.AppHost.dll")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment =
            {
                ["XDG_DATA_HOME"] = _data.FullName,
                ["LOCALAPPDATA"] = _data.FullName,
                ["ASPNETCORE_URLS"] = dashboard,
                ["Parameters__mesh-token"] = Token,
            },
        })!;
    }

    /// <summary>What the maps ask for.</summary>
    public string Token { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The dashboard's address with the token of its login, as the AppHost prints it.</summary>
    public Uri Login => _addresses["dashboard"];

    public Uri ServerA => _addresses["server-a"];

    public Uri ServerB => _addresses["server-b"];

    public static async Task<AppHostRun> StartAsync()
    {
        var run = new AppHostRun();
        try
        {
            await run.HealthyAsync();
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Submits so many tasks in one request; returns the trace of the first.</summary>
    public async Task<string> SubmitAsync(Uri server, int count = 1)
    {
        using var http = new HttpClient { BaseAddress = server };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        var tasks = Enumerable.Repeat(new { type = "QUERY", user = "Maria" }, count);
        using var accepted = await http.PostAsJsonAsync("/tasks", tasks, TestContext.Current.CancellationToken);
        accepted.EnsureSuccessStatusCode();
        var ids = await accepted.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);
        var task = await http.GetFromJsonAsync<JsonNode>($"/tasks/{(string)ids!["ids"]![0]!}", TestContext.Current.CancellationToken);
        return (string)task!["traceId"]!;
    }

    /// <summary>Has a server do what an operator asks, such as "/pause".</summary>
    public async Task OperateAsync(Uri server, string operation)
    {
        using var http = new HttpClient { BaseAddress = server };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        using var answer = await http.PostAsync(operation, content: null, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        Native.Signal(_process.Id, Native.Terminate);
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }

        await _reading;
        _process.Dispose();
        _data.Delete(recursive: true);
    }

    /// <summary>Reads until all is healthy and each address is told, then goes on reading, so that the pipe never fills.</summary>
    private async Task HealthyAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(StartLimit);
        try
        {
            while (_addresses.Count < 3 && await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                _lines.Add(line);
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var name, var address]
                    && line.StartsWith("  ", StringComparison.Ordinal) && Uri.TryCreate(address, UriKind.Absolute, out var url))
                {
                    _addresses[name] = url;
                }
            }
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The AppHost isn't healthy after {StartLimit.TotalSeconds} s:\n{string.Join('\n', _lines)}");
        }

        if (_addresses.Count < 3)
        {
            throw new InvalidOperationException($"The AppHost ended:\n{string.Join('\n', _lines)}");
        }

        _reading = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
    }
}
