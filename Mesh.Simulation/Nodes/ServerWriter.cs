using System.Collections.Frozen;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>Writes a server's journal, one batch at a time, and again when the outcome of a write is unknown.</summary>
internal sealed class ServerWriter(SimWorld world, ServerNode node)
{
    private TimeSpan _delay;
    private bool _checks;
    private bool _mends;

    /// <summary>A write is under way, or waits to be tried again.</summary>
    public bool IsBusy { get; private set; }

    public void Reset() => (IsBusy, _delay, _checks, _mends) = (false, TimeSpan.Zero, false, false);

    /// <summary>Writes, even if it is nothing, so that what the store has lost is found.</summary>
    public void Check()
    {
        _checks = true;
        node.Feed((_, _) => { });
    }

    /// <summary>Begins to write what has gathered.</summary>
    public void Write(ServerCore core)
    {
        while (!IsBusy && (core.Journal.TryTake() ?? (_checks ? new StoreBatch() : null)) is { } batch)
        {
            if (world.Mutation == Mutation.ActBeforeStored && batch.Ops.Count > 0)
            {
                node.Link!.Write(batch.Ops, _ => { });
            }
            else if (batch.Ops.Count > 0 || _checks)
            {
                (IsBusy, _checks) = (true, false);
                world.Ambush.OnWrite(node);
                node.Log($"stores {batch.Ops.Count} changes");
                node.Link!.Write(batch.Ops, node.InThisLife<IReadOnlyDictionary<string, TaskRecord?>?>(known => OnWritten(batch, known)));
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
            node.Claim.Lose();
            return;
        }

        if (node.Link.WentBack)
        {
            Mend(batch);
            return;
        }

        if (known is null && world.Mutation == Mutation.FailedWriteForgotten)
        {
            known = FrozenDictionary<string, TaskRecord?>.Empty;
        }

        if (known is not null)
        {
            if (_mends)
            {
                world.Losses.OnMended(node);
            }

            Reset();
            node.Log("has stored them");
            node.Feed((core, now) => core.OnStored(batch, known, now));
            return;
        }

        node.Log("does not know whether they are stored");
        FailLater(batch);
    }

    private void FailLater(StoreBatch batch)
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
    private void Mend(StoreBatch batch) => node.After(node.Store.Redis.Delay(), () =>
    {
        if (!node.Store.Redis.IsUp)
        {
            node.Log("cannot load what the store has left");
            FailLater(batch);
            return;
        }

        if (!node.Link!.TryKeep())
        {
            node.Claim.Lose();
            return;
        }

        // Even where nothing is to be written again, a write tells that the store has all.
        (IsBusy, _mends, _checks) = (false, true, true);
        node.Log("finds that the store has gone back");
        var stored = node.Store.Load();
        node.Feed((core, now) => core.OnStoreWentBack(batch, world.Mutation == Mutation.LossNotMended ? WithMemoryOf(core, stored) : stored, now));
    });

    private static StoredState WithMemoryOf(ServerCore core, StoredState stored) =>
        stored with { Tasks = [.. stored.Tasks, .. core.ListTasks(TaskState.Queued, int.MaxValue), .. core.ListTasks(TaskState.Running, int.MaxValue)] };
}
