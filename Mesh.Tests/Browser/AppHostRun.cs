using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Mesh.Tests.Integration.AppHost;
using MeshAspire.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Browser;

/// <summary>An AppHost with Aspire's dashboard, with separate ports and data. Disposing it ends all its processes.</summary>
internal sealed class AppHostRun : IAsyncDisposable
{
    private const int LinesOfEnded = 12;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);

    /// <summary>The time for a submission on a machine that is so busy that Garnet does not answer the servers in time.</summary>
    private static readonly TimeSpan SubmitLimit = TimeSpan.FromMinutes(2);

    private readonly string[] _resources;
    private readonly TestVolume _volume = new();
    private readonly LogTail _lines = new();
    private readonly CancellationTokenSource _stopped = new();
    private IDistributedApplicationTestingBuilder? _builder;
    private DistributedApplication? _app;
    private Task _watching = Task.CompletedTask;
    private ResourceEvent? _ended;

    private AppHostRun(string[] resources) => _resources = resources;

    /// <summary>The token that the maps require.</summary>
    public string Token { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The dashboard's address with the token of its login.</summary>
    public Uri Login { get; private set; } = null!;

    /// <summary>The resource that has ended during the tests, with its last lines and those of all resources; null while all run.</summary>
    public string? Fault => _ended is { } news
        ? $"{news.ResourceId} has ended by itself, {news.Snapshot.State?.Text}, exit code {news.Snapshot.ExitCode}:\n{_lines.Of(news.Resource.Name, LinesOfEnded)}\n\nAll resources:\n{_lines.Text}"
        : null;

    public Uri ServerA => AddressOf("server-a");

    public Uri ServerB => AddressOf("server-b");

    /// <summary>What the AppHost has written to the console.</summary>
    public string Console => _lines.ConsoleText;

    /// <summary>Starts the AppHost of the repository with its demo load.</summary>
    public static Task<AppHostRun> StartAsync() => StartAsync<Projects.MeshAspire_AppHost>(MeshApp.Resources);

    /// <summary>Starts an AppHost with a mesh and waits until these resources are healthy.</summary>
    public static async Task<AppHostRun> StartAsync<TAppHost>(params string[] resources)
        where TAppHost : class
    {
        var run = new AppHostRun(resources);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(StartLimit);
        try
        {
            await run.HealthyAsync<TAppHost>(limit.Token);
            return run;
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            await run.DisposeAsync();
            throw new TimeoutException($"The AppHost isn't healthy after {StartLimit.TotalSeconds} s:\n{run._lines.Text}");
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    public Uri AddressOf(string resource) => _app!.GetEndpoint(resource, "http");

    /// <summary>Returns the status of a server.</summary>
    public async Task<JsonNode> StatusAsync(Uri server)
    {
        using var http = Client(server);
        return (await http.GetFromJsonAsync<JsonNode>("/status", TestContext.Current.CancellationToken))!;
    }

    /// <summary>Submits tasks in one request, and returns the trace id of the first one.</summary>
    public async Task<string> SubmitAsync(Uri server, int count = 1)
    {
        using var http = Client(server);
        var client = new MeshClient(http, new MeshClientSettings { OperationTimeout = SubmitLimit });
        var ids = await client.SubmitManyAsync(Enumerable.Repeat(MeshTaskRequest.Query("Maria"), count), TestContext.Current.CancellationToken);
        return (await client.GetAsync(ids[0], TestContext.Current.CancellationToken))!.TraceId!;
    }

    /// <summary>Sends a command such as "/pause" to the server's API.</summary>
    public async Task OperateAsync(Uri server, string operation)
    {
        using var http = Client(server);
        using var answer = await http.PostAsync(operation, content: null, TestContext.Current.CancellationToken);
        await SucceededAsync(answer);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        await _watching;
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }

        if (_builder is not null)
        {
            await _builder.DisposeAsync();
            await _volume.RemoveAsync(_builder.AppHostDirectory);
        }
    }

    private async Task SucceededAsync(HttpResponseMessage answer)
    {
        if (!answer.IsSuccessStatusCode)
        {
            var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Fail($"{answer.RequestMessage!.RequestUri} answers {(int)answer.StatusCode}: {body}\n{_lines.Text}");
        }
    }

    private HttpClient Client(Uri server)
    {
        var http = new HttpClient { BaseAddress = server };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return http;
    }

    private async Task HealthyAsync<TAppHost>(CancellationToken cancellationToken)
        where TAppHost : class
    {
        _builder = await DistributedApplicationTestingBuilder.CreateAsync<TAppHost>(
            new DistributedApplicationTestingBuilderOptions { EnableDashboard = true },
            ["--Mesh:Redis=garnet", $"--Parameters:mesh-token={Token}", $"--Mesh:RedisVolume={_volume.Name}", $"--{AppHostPorts.Key}={AppHostPorts.Next()}", "--DASHBOARD__DATA__PERSISTENCEMODE=None"],
            cancellationToken);
        _builder.Services.AddSingleton<TextWriter>(_lines.Console);
        _builder.Services.AddLogging(logging => logging.ClearProviders().AddProvider(_lines).AddFilter("System.Net.Http", LogLevel.Warning).AddFilter("Polly", LogLevel.Warning));
        _app = await _builder.BuildAsync(cancellationToken);
        await _app.StartAsync(cancellationToken);
        foreach (var resource in _resources)
        {
            await _app.ResourceNotifications.WaitForResourceHealthyAsync(resource, cancellationToken);
        }

        Login = await _app.GetDashboardUrlAsync(cancellationToken);
        _watching = WatchAsync(_app.ResourceNotifications);
    }

    private async Task WatchAsync(ResourceNotificationService notifications)
    {
        try
        {
            await foreach (var news in notifications.WatchAsync(_stopped.Token))
            {
                if (_resources.Contains(news.Resource.Name) && KnownResourceStates.TerminalStates.Contains(news.Snapshot.State?.Text))
                {
                    _ended ??= news;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The tests are over.
        }
    }
}
