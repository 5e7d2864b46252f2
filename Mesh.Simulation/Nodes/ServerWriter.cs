using System.Collections.Frozen;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>Writes a server's journal, one batch at a time, and again when the outcome of a write is unknown.</summary>
internal sealed class ServerWriter(SimWorld world, ServerNode node)
{
    private TimeSpan _delay;
    private bool _checkRequested;
    private bool _recovering;

    /// <summary>A write is under way, or waits to be tried again.</summary>
    public bool IsBusy { get; private set; }

    public void Reset() => (IsBusy, _delay, _checkRequested, _recovering) = (false, TimeSpan.Zero, false, false);

    /// <summary>Writes, even if it is nothing, so that what the store has lost is found.</summary>
    public void Check()
    {
        _checkRequested = true;
        node.Feed((_, _) => { });
    }

    /// <summary>Begins to write what has gathered.</summary>
    public void Write(ServerCore core)
    {
        while (!IsBusy && (core.Journal.TryTake() ?? (_checkRequested ? new StoreBatch() : null)) is { } batch)
        {
            if (world.Mutation == Mutation.ActBeforeStored && batch.Ops.Count > 0)
            {
                node.Link!.Write(batch.Ops, _ => { });
            }
            else if (batch.Ops.Count > 0 || _checkRequested)
            {
                (IsBusy, _checkRequested) = (true, false);
                world.TriggeredFaults.OnWrite(node);
                node.Log($"stores {batch.Ops.Count} changes");
                node.Link!.Write(batch.Ops, node.IgnoreAfterRestart<IReadOnlyDictionary<string, TaskRecord?>?>(known => OnWritten(batch, known)));
                return;
            }

            core.OnStored(batch, FrozenDictionary<string, TaskRecord?>.Empty, node.Now);
            node.Perform();
        }
    }

    private void OnWritten(StoreBatch batch, IReadOnlyDictionary<string, TaskRecord?>? known)
    {
        if (node.Link!.IsFenced)
        {
            node.Lease.OnLeaseLost();
            return;
        }

        if (node.Link.RolledBack)
        {
            RecoverFromRollback(batch);
            return;
        }

        if (known is null && world.Mutation == Mutation.FailedWriteForgotten)
        {
            known = FrozenDictionary<string, TaskRecord?>.Empty;
        }

        if (known is not null)
        {
            if (_recovering)
            {
                world.DataLossTracker.OnRewritten(node);
            }

            Reset();
            node.Log("has stored them");
            node.Feed((core, now) => core.OnStored(batch, known, now));
            return;
        }

        node.Log("does not know whether they are stored");
        ScheduleFailure(batch);
    }

    private void ScheduleFailure(StoreBatch batch)
    {
        if (world.Mutation == Mutation.UnwrittenChangesDropped)
        {
            batch.Ops.RemoveAll(op => op.Kind is StoreOpKind.UpdateTask or StoreOpKind.PutLoan or StoreOpKind.DropLoan);
        }

        _delay = TimeSpan.FromSeconds(Math.Clamp(_delay.TotalSeconds * 2, 0.2, 2));
        node.After(_delay, () =>
        {
            IsBusy = false;
            node.Feed((core, now) => core.OnStoreFailed(batch, now));
        });
    }

    /// <summary>The store has lost what it had acknowledged.</summary>
    private void RecoverFromRollback(StoreBatch batch) => node.After(node.Store.Redis.Delay(), () =>
    {
        if (!node.Store.Redis.IsUp)
        {
            node.Log("cannot load what the store has left");
            ScheduleFailure(batch);
            return;
        }

        if (!node.Link!.TryAcceptRollback())
        {
            node.Lease.OnLeaseLost();
            return;
        }

        // Even where nothing is to be written again, a write tells that the store has all.
        (IsBusy, _recovering, _checkRequested) = (false, true, true);
        node.Log("finds that the store has gone back");
        var stored = node.Store.Load();
        node.Feed((core, now) => core.OnStoreRolledBack(batch, world.Mutation == Mutation.LossNotRepaired ? WithMemoryOf(core, stored) : stored, now));
    });

    private static StoredState WithMemoryOf(ServerCore core, StoredState stored) =>
        stored with { Tasks = [.. stored.Tasks, .. core.ListTasks(TaskState.Queued, int.MaxValue), .. core.ListTasks(TaskState.Running, int.MaxValue)] };
}
