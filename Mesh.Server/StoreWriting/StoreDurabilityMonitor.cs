using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Server.StoreWriting;

/// <summary>
/// Checks at the start, at each reconnect and periodically whether the store keeps acknowledged changes. While it may delete tasks, no tasks are accepted, unless
/// Mesh__Store__AllowEviction is set. A finding is logged again only after it has changed.
/// </summary>
/// <param name="inspector">Null for a store that has no such settings.</param>
internal sealed partial class StoreDurabilityMonitor(
    CoreInputQueue inputs, ServerReadiness state, IOptions<MeshOptions> options, TimeProvider time, ILogger<StoreDurabilityMonitor> logger, IStoreDurabilityInspector? inspector = null)
{
    /// <summary>The time between two checks of a store with safe settings.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>The time between two checks while no tasks are accepted, or after a check failed because the store was unavailable.</summary>
    private static readonly TimeSpan ShortInterval = TimeSpan.FromSeconds(2);

    private StoreDurability? _found;
    private TaskCompletionSource _reconnected = NewSignal();

    /// <summary>Reads the store's settings once and posts the finding to the loop. Changes nothing when the store is unavailable.</summary>
    /// <returns>The time until the next check.</returns>
    public async Task<TimeSpan> CheckAsync(CancellationToken cancellationToken)
    {
        if (inspector is null)
        {
            return Timeout.InfiniteTimeSpan;
        }

        StoreDurability now;
        try
        {
            now = await inspector.InspectAsync(cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // StoreWriter reports that the store is unavailable.
            return ShortInterval;
        }

        var before = _found;
        _found = now;
        await ApplyEvictionAsync(before, now);
        if (before?.Persistence != now.Persistence)
        {
            LogPersistence(now.Persistence);
        }

        return state.DurabilityRisk is null ? Interval : ShortInterval;
    }

    /// <summary>Repeats the check until the loop ends.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => inspector is null ? Task.CompletedTask : inputs.WatchAsync(CheckRepeatedlyAsync(inspector, cancellationToken), cancellationToken);

    private async Task CheckRepeatedlyAsync(IStoreDurabilityInspector watched, CancellationToken cancellationToken)
    {
        watched.Reconnected += OnReconnected;
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                // Before the check, so that a reconnect during the check leads to another one.
                _reconnected = NewSignal();
                var holds = await CheckAsync(cancellationToken);
                await _reconnected.Task.WaitAsync(holds, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            watched.Reconnected -= OnReconnected;
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void OnReconnected() => _reconnected.TrySetResult();

    private async Task ApplyEvictionAsync(StoreDurability? before, StoreDurability now)
    {
        var isNew = (before?.Eviction, before?.EvictionSettings) != (now.Eviction, now.EvictionSettings);
        var allowed = options.Value.Store.AllowEviction;
        if (isNew && now.Eviction == StoreEviction.Possible && !allowed)
        {
            LogRefusing(now.EvictionSettings);
        }
        else if (isNew && now.Eviction == StoreEviction.Possible)
        {
            LogAllowed(now.EvictionSettings);
        }
        else if (isNew && now.Eviction == StoreEviction.Unknown)
        {
            LogEvictionUnknown();
        }

        // A setting that cannot be read any more keeps its last value.
        var risk = now.Eviction switch
        {
            StoreEviction.Possible when !allowed => $"Redis may delete accepted tasks when it is full: {now.EvictionSettings}.",
            StoreEviction.Possible or StoreEviction.None => null,
            StoreEviction.Unknown => state.DurabilityRisk,
            _ => throw new InvalidOperationException($"Unknown eviction {now.Eviction}."),
        };
        if (risk == state.DurabilityRisk)
        {
            return;
        }

        if (risk is null)
        {
            LogAccepting();
        }

        state.DurabilityRisk = risk;
        await inputs.PostAsync(new(LoopInputKind.StoreDurability) { Detail = risk });
    }

    private void LogPersistence(StorePersistence persistence)
    {
        switch (persistence)
        {
            case StorePersistence.AppendOnlyFile:
                break;
            case StorePersistence.Snapshots:
                LogSnapshots();
                break;
            case StorePersistence.None:
                LogNotPersistent();
                break;
            case StorePersistence.Unknown:
                LogPersistenceUnknown();
                break;
            default:
                throw new InvalidOperationException($"Unknown persistence {persistence}.");
        }
    }

    [LoggerMessage(1601, LogLevel.Error,
        "Redis may delete accepted tasks when it is full: {Settings}. No tasks are accepted. Set maxmemory-policy to noeviction, or accept the loss with Mesh__Store__AllowEviction.")]
    private partial void LogRefusing(string settings);

    [LoggerMessage(1602, LogLevel.Warning,
        "Redis may delete accepted tasks, results, balances and the marks that keep an UPDATE from being applied twice when it is full: {Settings}. Mesh__Store__AllowEviction accepts this.")]
    private partial void LogAllowed(string settings);

    [LoggerMessage(1603, LogLevel.Information, "Redis does not delete accepted tasks any more. Tasks are accepted.")]
    private partial void LogAccepting();

    [LoggerMessage(1604, LogLevel.Warning,
        "Redis does not permit reading maxmemory-policy (INFO memory, CONFIG GET). With another policy than noeviction, accepted tasks are lost when it is full.")]
    private partial void LogEvictionUnknown();

    [LoggerMessage(1605, LogLevel.Warning,
        "Redis writes nothing to disk (appendonly is no, save is empty). When it stops, all accepted tasks, results, loans and balances are lost.")]
    private partial void LogNotPersistent();

    [LoggerMessage(1606, LogLevel.Warning,
        "Redis writes only snapshots to disk (appendonly is no, save is set). When it crashes, all changes that it has acknowledged since the last snapshot are lost.")]
    private partial void LogSnapshots();

    [LoggerMessage(1607, LogLevel.Warning,
        "Redis does not permit reading appendonly and save (INFO persistence, CONFIG GET). Without an append-only file, accepted tasks are lost when it crashes.")]
    private partial void LogPersistenceUnknown();
}
