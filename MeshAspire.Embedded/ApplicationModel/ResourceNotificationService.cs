using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public static class KnownResourceStates
{
    public static readonly string NotStarted = nameof(NotStarted);
    public static readonly string Waiting = nameof(Waiting);
    public static readonly string Starting = nameof(Starting);
    public static readonly string Running = nameof(Running);
    public static readonly string Stopping = nameof(Stopping);
    public static readonly string Exited = nameof(Exited);
    public static readonly string Finished = nameof(Finished);
    public static readonly string FailedToStart = nameof(FailedToStart);

    /// <summary>The states of what runs no more, or never did.</summary>
    public static readonly IReadOnlyList<string> TerminalStates = [Finished, FailedToStart, Exited];
}

public sealed record ResourceStateSnapshot(string Text, string? Style)
{
    public static implicit operator ResourceStateSnapshot?(string? s) => s is null ? null : new(s, null);
}

public sealed record ResourcePropertySnapshot(string Name, object? Value);

/// <summary>What one replica does now.</summary>
public sealed record CustomResourceSnapshot
{
    private const string ProcessIdProperty = "executable.pid";

    public required string ResourceType { get; init; }

    /// <summary>Its process's id as <c>executable.pid</c>, while there is one.</summary>
    public required ImmutableArray<ResourcePropertySnapshot> Properties { get; init; }

    public ResourceStateSnapshot? State { get; init; }

    public int? ExitCode { get; init; }

    /// <summary>Null until it runs; healthy as soon as it runs when nothing was set to be asked.</summary>
    public HealthStatus? HealthStatus { get; internal init; }

    /// <summary>When it was started last, UTC; null until then.</summary>
    public DateTime? StartTimeStamp { get; init; }

    /// <summary>Starts after the first.</summary>
    internal int Restarts { get; init; }

    internal int? ProcessId
    {
        get => Properties.FirstOrDefault(one => one.Name == ProcessIdProperty)?.Value as int?;
        init => Properties = value is null ? [] : [new(ProcessIdProperty, value)];
    }

    /// <summary>What its process was started with.</summary>
    internal IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

public class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    public IResource Resource => resource;

    /// <summary>The replica's: the resource's name, with a number where there are several.</summary>
    public string ResourceId => resourceId;

    public CustomResourceSnapshot Snapshot => snapshot;
}

/// <summary>Tells the state of the resources to whoever waits for one.</summary>
public class ResourceNotificationService : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ResourceEvent> _current = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Waiter> _waiters = [];

    internal ResourceNotificationService()
    {
    }

    /// <summary>Raised in order, under the lock.</summary>
    internal event Action<ResourceEvent>? Published;

    /// <summary>Waits until each replica of the resource is healthy.</summary>
    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitAsync(resourceName, all => all.All(one => one.Snapshot.HealthStatus is HealthStatus.Healthy) ? all[^1] : null, cancellationToken);

    /// <summary>Waits until a replica of the resource is in the state. Default: running.</summary>
    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default) =>
        WaitForResourceAsync(resourceName, one => one.Snapshot.State?.Text == (targetState ?? KnownResourceStates.Running), cancellationToken);

    /// <summary>Waits until a replica of the resource is in one of the states, and tells which.</summary>
    public async Task<string> WaitForResourceAsync(
        string resourceName, IEnumerable<string> targetStates, CancellationToken cancellationToken = default)
    {
        var states = targetStates.ToHashSet();
        var news = await WaitForResourceAsync(resourceName, one => one.Snapshot.State is { Text: var state } && states.Contains(state), cancellationToken);
        return news.Snapshot.State!.Text;
    }

    /// <summary>Waits until a replica of the resource is as the predicate says.</summary>
    public Task<ResourceEvent> WaitForResourceAsync(
        string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default) =>
        WaitAsync(resourceName, all => all.FirstOrDefault(predicate), cancellationToken);

    /// <param name="resourceId">A replica's id, or the name of a resource with one replica.</param>
    /// <param name="resourceEvent">Its state now.</param>
    public bool TryGetCurrentState(string resourceId, [NotNullWhen(true)] out ResourceEvent? resourceEvent)
    {
        lock (_lock)
        {
            return _current.TryGetValue(resourceId, out resourceEvent);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var waiter in _waiters)
            {
                waiter.Completion.TrySetCanceled();
            }

            _waiters.Clear();
        }

        GC.SuppressFinalize(this);
    }

    internal void Publish(IResource resource, string resourceId, Func<CustomResourceSnapshot, CustomResourceSnapshot> change)
    {
        lock (_lock)
        {
            var old = _current.GetValueOrDefault(resourceId)?.Snapshot
                ?? new CustomResourceSnapshot { ResourceType = resource.GetType().Name, Properties = [], State = KnownResourceStates.NotStarted };
            _current[resourceId] = new ResourceEvent(resource, resourceId, change(old));
            Published?.Invoke(_current[resourceId]);
            _waiters.RemoveAll(waiter => waiter.Completion.Task.IsCompleted || Complete(waiter));
        }
    }

    private Task<ResourceEvent> WaitAsync(string name, Func<IReadOnlyList<ResourceEvent>, ResourceEvent?> met, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(name, met, new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            if (!Complete(waiter))
            {
                _waiters.Add(waiter);
            }
        }

        return waiter.Completion.Task.WaitAsync(cancellationToken);
    }

    private bool Complete(Waiter waiter)
    {
        var replicas = _current.Values
            .Where(one => string.Equals(one.Resource.Name, waiter.Name, StringComparison.OrdinalIgnoreCase)).ToArray();
        return replicas.Length > 0 && waiter.Met(replicas) is { } news && waiter.Completion.TrySetResult(news);
    }

    private sealed record Waiter(string Name, Func<IReadOnlyList<ResourceEvent>, ResourceEvent?> Met, TaskCompletionSource<ResourceEvent> Completion);
}
