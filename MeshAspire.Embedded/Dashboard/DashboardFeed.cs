using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MeshAspire.Embedded.Dashboard;

/// <summary>Gathers what the dashboard is told. Of replicas it keeps the latest, of lines so many as wait for a dashboard that is slow or away.</summary>
internal sealed partial class DashboardFeed(IResourceCollection resources, ResourceNotificationService notifications, ResourceConsole console, TimeProvider time)
{
    private const int LinesWaiting = 10_000;

    private readonly ConcurrentDictionary<string, FeedResource> _current = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _changed = new(StringComparer.OrdinalIgnoreCase);

    // A null stands for a change of a replica; should it be dropped, the line that displaced it does as well.
    private readonly Channel<FeedLine?> _lines = Channel.CreateBounded<FeedLine?>(
        new BoundedChannelOptions(LinesWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    private string[] _order = [];

    /// <param name="ids">Of the replicas, in the order they are shown in.</param>
    public void Start(IReadOnlyList<string> ids)
    {
        _order = [.. ids];
        notifications.Published += OnPublished;
        console.Written += OnWritten;
    }

    /// <summary>Writes to a dashboard, from what is now, until it ends or the feed does.</summary>
    public async Task WriteAsync(TextWriter dashboard, CancellationToken cancellationToken)
    {
        foreach (var id in _current.Keys)
        {
            _changed[id] = true;
        }

        _lines.Writer.TryWrite(null);
        try
        {
            await foreach (var line in _lines.Reader.ReadAllAsync(cancellationToken))
            {
                await WriteChangedAsync(dashboard);
                if (line is not null)
                {
                    await WriteAsync(dashboard, new FeedMessage(Line: line));
                }

                if (_lines.Reader.Count == 0)
                {
                    await dashboard.FlushAsync(cancellationToken);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It ended.
        }
    }

    private async Task WriteChangedAsync(TextWriter dashboard)
    {
        if (_changed.IsEmpty)
        {
            return;
        }

        foreach (var id in _order)
        {
            if (_changed.TryRemove(id, out _) && _current.TryGetValue(id, out var resource))
            {
                await WriteAsync(dashboard, new FeedMessage(Resource: resource));
            }
        }
    }

    private static Task WriteAsync(TextWriter dashboard, FeedMessage message) =>
        dashboard.WriteLineAsync(JsonSerializer.Serialize(message, FeedJson.Default.FeedMessage));

    private void OnWritten(string id, string text, bool notice) => _lines.Writer.TryWrite(new FeedLine(id, time.GetUtcNow(), text, notice));

    private void OnPublished(ResourceEvent news)
    {
        var (resource, snapshot) = (news.Resource, news.Snapshot);
        var next = new FeedResource
        {
            Id = news.ResourceId,
            Name = resource.Name,
            Type = resource.GetType().Name.Replace("Resource", "", StringComparison.Ordinal),
            State = snapshot.State?.Text ?? KnownResourceStates.NotStarted,
            Healthy = snapshot.HealthStatus is { } health ? health is HealthStatus.Healthy : null,
            ExitCode = snapshot.ExitCode,
            ProcessId = snapshot.ProcessId,
            Started = snapshot.StartTimeStamp is { } started ? new DateTimeOffset(started, TimeSpan.Zero) : null,
            Restarts = snapshot.Restarts,
            Commands = resource is not RedisResource { External: not null },
            Endpoints = [.. resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.Address is not null)
                .Select(endpoint => new FeedEndpoint(endpoint.Name, new EndpointReference((IResourceWithEndpoints)resource, endpoint.Name).Url))],
            Environment = Variables(snapshot.Environment),
        };
        if (_current.TryGetValue(next.Id, out var before) && Same(before, next))
        {
            return;
        }

        _current[next.Id] = next;
        _changed[next.Id] = true;
        _lines.Writer.TryWrite(null);
    }

    /// <summary>A health that is asked every two seconds is mostly no news.</summary>
    private static bool Same(FeedResource a, FeedResource b) =>
        (a.State, a.Healthy, a.ExitCode, a.ProcessId, a.Restarts, a.Endpoints.Count) == (b.State, b.Healthy, b.ExitCode, b.ProcessId, b.Restarts, b.Endpoints.Count);

    private FeedVariable[] Variables(IReadOnlyDictionary<string, string> environment)
    {
        var secrets = SecretValues();
        return [.. environment.OrderBy(one => one.Key, StringComparer.OrdinalIgnoreCase).Select(one => new FeedVariable(
            one.Key, one.Value, SecretName().IsMatch(one.Key) || secrets.Any(secret => one.Value.Contains(secret, StringComparison.Ordinal))))];
    }

    private string[] SecretValues() => [.. resources.OfType<ParameterResource>().Concat(resources.OfType<RedisResource>().Select(redis => redis.PasswordParameter).OfType<ParameterResource>())
        .Where(parameter => parameter.Secret).Select(parameter => parameter.Known).OfType<string>().Where(value => value.Length > 0)];

    [GeneratedRegex("PASSWORD|SECRET|TOKEN|KEY|HEADERS|CREDENTIAL|CONNECTIONSTRING", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex SecretName();
}
