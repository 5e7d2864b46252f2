using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Loop;
using Mesh.Server.Storage;
using Mesh.Transport;
using MeshAspire.ServiceDefaults;
using Polly;

namespace Mesh.Server.StoreWriting;

/// <summary>Writes the batches of the core, one at a time, and posts the outcome of each to the loop.</summary>
internal sealed partial class StoreWriter(IMeshStore store, CoreInputQueue inputs, ServerReadiness state, TimeProvider time, ILogger<StoreWriter> logger)
{
    private static readonly Backoff Delays = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));

    private int _failures;

    /// <summary>True from <see cref="Start"/> until the loop has applied the outcome.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>The last write. It completes when the outcome is posted.</summary>
    public Task Writing { get; private set; } = Task.CompletedTask;

    /// <summary>Starts to write a batch.</summary>
    /// <param name="batch">The changes.</param>
    /// <param name="own">This server. Its state is loaded again if the store has lost acknowledged changes.</param>
    /// <param name="cancellationToken">Cancels the delay before a failure is posted.</param>
    public void Start(StoreBatch batch, ServerId own, CancellationToken cancellationToken)
    {
        IsBusy = true;
        Writing = WriteAsync(batch, own, cancellationToken);
    }

    /// <summary>Called when the loop has applied the outcome. The next batch can then be started.</summary>
    public void Complete() => IsBusy = false;

    /// <summary>Clears the fault of the store. Called after the core has applied the successful write, because a server that reports itself healthy must accept tasks.</summary>
    public void ReportStoreAvailable()
    {
        if (state.StoreFault is not null)
        {
            state.StoreFault = null;
            _failures = 0;
            LogAvailableAgain();
        }
    }

    /// <summary>Loads the stored state. Retries until the store is available.</summary>
    public async Task<StoredState> LoadAsync(ServerId server, CancellationToken cancellationToken)
    {
        var retry = UnlimitedRetry.Create(time, Delays.First, Delays.Longest, IsStoreFault, (failures, fault) =>
        {
            state.WaitingFor = "the store";
            if (failures == 0)
            {
                LogLoadFailed(fault.Message);
            }
        });

        // Polly leaves the synchronization context by default, which the simulation depends on.
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, cancellationToken);
        try
        {
            var stored = await retry.ExecuteAsync(async call => await store.LoadAsync(server, call.CancellationToken), context);
            LogLoaded(stored.Tasks.Count, stored.Loans.Count, stored.Dead, stored.Done);
            return stored;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static bool IsStoreFault(Exception fault) => fault is StoreUnavailableException or StoreRolledBackException;

    private async Task WriteAsync(StoreBatch batch, ServerId own, CancellationToken cancellationToken)
    {
        try
        {
            await inputs.PostAsync(await TryAsync(batch, own));
        }
        catch (Exception fault) when (IsStoreFault(fault))
        {
            // Each reason is logged once, not for each attempt.
            if (state.StoreFault != fault.Message)
            {
                state.StoreFault = fault.Message;
                LogUnavailable(fault.Message);
            }

            await Task.Delay(Delays.Delay(++_failures), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            await inputs.PostAsync(new(LoopInputKind.StoreFailed) { Subject = batch });
        }
#pragma warning disable CA1031 // The lease is lost, or there is a bug. Both end the loop.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await inputs.PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
        }
    }

    private async Task<LoopInput> TryAsync(StoreBatch batch, ServerId own)
    {
        try
        {
            return new(LoopInputKind.Stored) { Subject = batch, Detail = await store.WriteAsync(batch, CancellationToken.None) };
        }
        catch (StoreRolledBackException)
        {
            return new(LoopInputKind.StoreRolledBack) { Subject = batch, Detail = await store.LoadAsync(own, CancellationToken.None) };
        }
    }

    [LoggerMessage(1201, LogLevel.Information, "Loaded {Tasks} unsettled tasks and {Loans} loans; {Dead} dead letters, {Done} tasks done so far.")]
    private partial void LogLoaded(int tasks, int loans, long dead, long done);

    [LoggerMessage(1202, LogLevel.Warning, "The store is unavailable. The server accepts no work until it is available. {Reason}")]
    private partial void LogLoadFailed(string reason);

    [LoggerMessage(1203, LogLevel.Error, "The store is unavailable. The server accepts no tasks and acknowledges nothing until it is available. {Reason}")]
    private partial void LogUnavailable(string reason);

    [LoggerMessage(1204, LogLevel.Information, "The store is available again.")]
    private partial void LogAvailableAgain();
}
