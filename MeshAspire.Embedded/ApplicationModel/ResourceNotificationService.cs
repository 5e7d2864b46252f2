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
    public static readonly string FailedToStart = nameof(FailedToStart);
}

public sealed record ResourceStateSnapshot(string Text, string? Style)
{
    public static implicit operator ResourceStateSnapshot?(string? state) => state is null ? null : new(state, null);
}

/// <summary>What one replica does now.</summary>
public sealed record CustomResourceSnapshot
{
    public required string ResourceType { get; init; }

    public ResourceStateSnapshot? State { get; init; }

    public int? ExitCode { get; init; }

    /// <summary>Null until it runs; healthy as soon as it runs when nothing was set to be asked.</summary>
    public HealthStatus? HealthStatus { get; init; }

    /// <summary>When it was started last, UTC; null until then.</summary>
    public DateTime? StartTimeStamp { get; init; }

    /// <summary>Starts after the first.</summary>
    internal int Restarts { get; init; }

    internal int? ProcessId { get; init; }

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

    /// <summary>Raised in order, under the lock.</summary>
    internal event Action<ResourceEvent>? Published;

    /// <summary>Waits until each replica of the resource is healthy.</summary>
    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitAsync(resourceName, all => all.All(one => one.Snapshot.HealthStatus is HealthStatus.Healthy), cancellationToken);

    /// <summary>Waits until a replica of the resource is in the state. Default: running.</summary>
    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default) =>
        WaitForResourceAsync(resourceName, one => one.Snapshot.State?.Text == (targetState ?? KnownResourceStates.Running), cancellationToken);

    /// <summary>Waits until a replica of the resource is as the predicate says.</summary>
    public Task<ResourceEvent> WaitForResourceAsync(
        string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default) =>
        WaitAsync(resourceName, all => all.Any(predicate), cancellationToken);

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
                ?? new CustomResourceSnapshot { ResourceType = resource.GetType().Name, State = KnownResourceStates.NotStarted };
            _current[resourceId] = new ResourceEvent(resource, resourceId, change(old));
            Published?.Invoke(_current[resourceId]);
            _waiters.RemoveAll(waiter => waiter.Completion.Task.IsCompleted || Complete(waiter));
        }
    }

    private Task<ResourceEvent> WaitAsync(string name, Func<IReadOnlyList<ResourceEvent>, bool> met, CancellationToken cancellationToken)
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
        return replicas.Length > 0 && waiter.Met(replicas) && waiter.Completion.TrySetResult(replicas[^1]);
    }

    private sealed record Waiter(string Name, Func<IReadOnlyList<ResourceEvent>, bool> Met, TaskCompletionSource<ResourceEvent> Completion);
}
