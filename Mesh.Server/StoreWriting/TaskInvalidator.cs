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

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
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
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The loop has ended. The tasks are stored, and the next process loads them.
        }
#pragma warning disable CA1031 // Any other exception is a bug and ends the loop.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await inputs.PostAsync(new(LoopInputKind.Faulted) { Subject = exception });
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
