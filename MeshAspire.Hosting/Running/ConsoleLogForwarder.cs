using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace MeshAspire.Hosting.Running;

/// <summary>A line about a resource that is written to the console at startup.</summary>
internal sealed record StartupMessage(string Resource, string Text);

/// <summary>
/// Writes log entries of servers and workers to the console, which Aspire shows only in its dashboard: the steps of each loan, and warnings and errors. All other entries
/// are in the dashboard only.
/// </summary>
internal sealed partial class ConsoleLogForwarder(
    TextWriter console, TimeProvider time, IEnumerable<StartupMessage> reports, ResourceNotificationService resources, ResourceLoggerService logs) : BackgroundService
{
    private const int NameWidth = 11;

    /// <summary>Lines of different processes arrive with different delays. The lines of one interval are sorted by time.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentQueue<(string Time, string Resource, string Text)> _lines = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var report in reports)
        {
            Write(report.Resource, report.Text);
        }

        try
        {
            await Task.WhenAll(FollowAllAsync(stoppingToken), WriteAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The AppHost is stopping.
        }
    }

    private async Task FollowAllAsync(CancellationToken stoppingToken)
    {
        var followed = new Dictionary<string, Task>();
        await foreach (var change in resources.WatchAsync(stoppingToken))
        {
            if (change.Resource is ProjectResource project && !followed.ContainsKey(change.ResourceId))
            {
                followed.Add(change.ResourceId, FollowAsync(project.Name, change.ResourceId, stoppingToken));
            }
        }

        await Task.WhenAll(followed.Values);
    }

    private async Task FollowAsync(string resource, string instance, CancellationToken stoppingToken)
    {
        await foreach (var lines in logs.WatchAsync(instance).WithCancellation(stoppingToken))
        {
            foreach (var line in lines)
            {
                if (Entry().Match(Escape().Replace(line.Content, "")) is { Success: true } entry)
                {
                    _lines.Enqueue((entry.Groups["time"].Value, resource, entry.Groups["text"].Value));
                }
            }
        }
    }

    private async Task WriteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var (_, resource, text) in Drain().OrderBy(line => line.Time, StringComparer.Ordinal))
            {
                Write(resource, text);
            }
        }
    }

    private IEnumerable<(string Time, string Resource, string Text)> Drain()
    {
        while (_lines.TryDequeue(out var line))
        {
            yield return line;
        }
    }

    private void Write(string resource, string text) => console.WriteLine(Format(resource, text));

    /// <summary>Returns a line of the console.</summary>
    internal static string Format(string resource, string text) => $"{resource.PadRight(NameWidth)} | {text}";

    /// <summary>Matches a line that is written to the console: the time of the orchestrator, then an entry of .NET's console logger in its single-line format.</summary>
    [GeneratedRegex(@"^(?<time>\S+Z) .*?(?:\binfo: Mesh\.Server\.(?:Telemetry\.LoanConsoleLog|Producer\.DemoProducer)|\b(?:warn|fail|crit): \S+)\[\d+\] (?<text>.*)$")]
    private static partial Regex Entry();

    [GeneratedRegex(@"\x1B\[[0-9;]*m")]
    private static partial Regex Escape();
}

internal static class ConsoleLogForwarderExtensions
{
    /// <summary>Adds the <see cref="ConsoleLogForwarder"/>.</summary>
    public static void AddConsoleLogForwarder(this IDistributedApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(Console.Out);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddHostedService<ConsoleLogForwarder>();
    }

    /// <summary>Adds a line that is written when the application starts.</summary>
    public static void AddStartupMessage(this IDistributedApplicationBuilder builder, string resource, string text) =>
        builder.Services.AddSingleton(new StartupMessage(resource, text));
}
