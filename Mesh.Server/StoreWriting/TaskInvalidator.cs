using System.Threading.Channels;
using Mesh.Accounts;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;

namespace Mesh.Server.StoreWriting;

/// <summary>Closes UPDATE tasks in the ledger before they become dead letters, one after the other, so that a late attempt is not applied.</summary>
internal sealed class TaskInvalidator(ILedger ledger, CoreInputQueue inputs)
{
    // Each entry is an unsettled task, so Mesh__Tasks__Capacity is the bound.
    private readonly Channel<TaskRecord> _queue = Channel.CreateUnbounded<TaskRecord>(new() { SingleReader = true });

    public void Enqueue(TaskRecord task) => _queue.Writer.TryWrite(task);

    /// <summary>Runs until the loop ends. The tasks that are left are stored, and the next process loads them.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => inputs.WatchAsync(InvalidateAllAsync(cancellationToken), cancellationToken);

    private async Task InvalidateAllAsync(CancellationToken cancellationToken)
    {
        // ReadAllAsync would leave the synchronization context, which the simulation depends on.
        while (await _queue.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_queue.Reader.TryRead(out var task))
            {
                await InvalidateAsync(task, cancellationToken);
            }
        }
    }

    private async Task InvalidateAsync(TaskRecord task, CancellationToken cancellationToken)
    {
        try
        {
            var closed = await ledger.CloseAsync(task.User!, task.WireId, cancellationToken);
            await inputs.PostAsync(new(LoopInputKind.Invalidated) { Id = task.WireId.Value, Amount = closed.Balance });
        }
        catch (Exception exception) when (RedisErrorClassifier.IsStoreUnavailable(exception))
        {
            // The core tries again later.
            await inputs.PostAsync(new(LoopInputKind.InvalidationFailed) { Id = task.WireId.Value });
        }
    }
}
