using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Aspire.Hosting;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.Configuration;

namespace MeshAspire.Embedded.Dashboard;

/// <summary>
/// The dashboard, in a process of its own: should it die, it is started again, at the same address with the same token, and nothing else
/// is touched. It lives as long as its standard input does.
/// </summary>
internal sealed class DashboardProcess(
    DashboardAddress address, DashboardFeed feed, Ports ports, GuardianClient guardian, AppHostProject project, ResourceConsole console,
    IConfiguration configuration, TimeProvider time) : IDisposable
{
    public const string Name = "dashboard";

    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Backoff _backoff = new();
    private readonly string _token = Secret();
    private readonly string _key = Secret();
    private Task _running = Task.CompletedTask;
    private int _grpcPort;
    private int _httpPort;

    /// <summary>Where a person logs in; null when there is no dashboard.</summary>
    public string? LoginUrl { get; private set; }

    /// <summary>What a project gets, so that its telemetry comes here; nothing when it is to go elsewhere.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; private set; } = new Dictionary<string, string>();

    /// <summary>Starts it, if there is to be one, and doesn't wait until it is up.</summary>
    /// <param name="ids">Of the replicas it shows.</param>
    /// <param name="command">Carries out what a person asks for there.</param>
    public void Start(IReadOnlyList<string> ids, Action<FeedCommand> command)
    {
        if (address.Program is not { } path)
        {
            return;
        }

        _grpcPort = ports.HoldOr(DashboardAddress.PortOf(configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"]));
        _httpPort = ports.HoldOr(DashboardAddress.PortOf(configuration["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"]));
        LoginUrl = $"{address.Url}/login?t={_token}";
        if (string.IsNullOrWhiteSpace(configuration[Endpoint]))
        {
            Variables = new Dictionary<string, string>
            {
                [Endpoint] = $"http://localhost:{_grpcPort}",
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
                ["OTEL_EXPORTER_OTLP_HEADERS"] = $"x-otlp-api-key={_key}",
                // What is watched live should come soon; milliseconds.
                ["OTEL_BSP_SCHEDULE_DELAY"] = "1000",
                ["OTEL_BLRP_SCHEDULE_DELAY"] = "1000",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "1000",
            };
        }

        console.Expect([Name]);
        feed.Start(ids);
        _running = RunAsync(path, command);
    }

    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _running;
    }

    public void Dispose() => _stopping.Dispose();

    private static string Secret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private async Task RunAsync(string path, Action<FeedCommand> command)
    {
        while (!_stopping.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            string fault;
            try
            {
                fault = await LiveAsync(path, command);
            }
            catch (DistributedApplicationException exception)
            {
                fault = exception.Message;
            }

            if (!_stopping.IsCancellationRequested)
            {
                var delay = _backoff.Next(time.GetElapsedTime(began));
                console.Say(Name, $"{fault} Starting it again in {delay.TotalSeconds:0.#} s.");
                await Task.Delay(delay, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<string> LiveAsync(string path, Action<FeedCommand> command)
    {
        var spec = new ProcessSpec(DotNet.Path, ["exec", path], Path.GetDirectoryName(path)!, new Dictionary<string, string>
        {
            [Guardian.RunVariable] = guardian.Run,
            ["Dashboard__ApplicationName"] = project.Name.Replace(".AppHost", "", StringComparison.Ordinal),
            ["Dashboard__Port"] = Text(address.Port),
            ["Dashboard__OtlpGrpcPort"] = Text(_grpcPort),
            ["Dashboard__OtlpHttpPort"] = Text(_httpPort),
            ["Dashboard__Token"] = _token,
            ["Dashboard__OtlpKey"] = _key,
            ["Dashboard__Feed"] = "true",
        });
        Array.ForEach([address.Port, _grpcPort, _httpPort], ports.Release);
        await using var process = ChildProcess.Start(spec, line => console.Line(Name, line), line => Take(line, command));
        guardian.Started(process.Id);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var writing = feed.WriteAsync(process.Input, over.Token);
        var ended = process.WaitAsync(time);
        await ended.WaitAsync(_stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await over.CancelAsync();
        await writing;
        if (!ended.IsCompleted)
        {
            process.CloseInput();
            if (await Task.WhenAny(ended, Task.Delay(Grace, time, CancellationToken.None)) != ended)
            {
                process.Kill();
            }
        }

        await ended;
        guardian.Ended(process.Id);
        return $"ended with exit code {process.ExitCode}.";
    }

    private void Take(string line, Action<FeedCommand> command)
    {
        FeedReply? reply;
        try
        {
            reply = JsonSerializer.Deserialize(line, FeedJson.Default.FeedReply);
        }
        catch (JsonException)
        {
            // Not for the AppHost, so for the person in front of it.
            console.Line(Name, line);
            return;
        }

        if (reply?.Ready is true)
        {
            console.Say($"Login to the dashboard at {LoginUrl}");
        }

        if (reply?.Command is { } asked)
        {
            command(asked);
        }
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
