using Mesh.Protocol;
using Mesh.Resilience;
using Mesh.Server.Core;
using Mesh.Server.Storage;
using Mesh.Transport;
using Polly;

namespace Mesh.Server.Hosting;

/// <summary>Writes the core's batches, one at a time, and posts what became of each.</summary>
internal sealed partial class StoreWriter(IMeshStore store, CoreInputQueue inputs, ServerReadiness state, TimeProvider time, ILogger<StoreWriter> logger)
{
    private static readonly Backoff Delays = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));

    private int _failures;

    /// <summary>True from <see cref="Start"/> until the loop has taken the outcome.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>The last write, until its outcome is posted.</summary>
    public Task Writing { get; private set; } = Task.CompletedTask;

    /// <param name="batch">What to write.</param>
    /// <param name="own">This server, whose state is loaded again should the store have gone back.</param>
    /// <param name="cancellationToken">Ends the wait before a failure is posted.</param>
    public void Start(StoreBatch batch, ServerId own, CancellationToken cancellationToken)
    {
        IsBusy = true;
        Writing = WriteAsync(batch, own, cancellationToken);
    }

    /// <summary>The loop has taken the outcome: the next batch may go.</summary>
    public void Complete() => IsBusy = false;

    /// <summary>Clears the store's fault. Called once the core knows of the successful write: a server that reports itself healthy accepts tasks.</summary>
    public void ReportStoreAvailable()
    {
        if (state.StoreFault is not null)
        {
            state.StoreFault = null;
            _failures = 0;
            LogAvailableAgain();
        }
    }

    /// <summary>Loads the stored state, however long the store is away.</summary>
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
        catch (Exception away) when (IsStoreFault(away))
        {
            // Once per reason, not once per try.
            if (state.StoreFault != away.Message)
            {
                state.StoreFault = away.Message;
                LogUnavailable(away.Message);
            }

            await Task.Delay(Delays.Delay(++_failures), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            await inputs.PostAsync(new(LoopInputKind.StoreFailed) { Subject = batch });
        }
#pragma warning disable CA1031 // A lost claim, or a bug: the loop ends with it.
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
}
