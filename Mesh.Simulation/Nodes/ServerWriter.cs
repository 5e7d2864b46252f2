using System.Collections.Frozen;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>Writes a server's journal, one batch at a time, and again when the outcome of a write is unknown.</summary>
internal sealed class ServerWriter(SimWorld world, ServerNode node)
{
    private TimeSpan _delay;

    /// <summary>A write is under way, or waits to be tried again.</summary>
    public bool IsBusy { get; private set; }

    public void Reset() => (IsBusy, _delay) = (false, TimeSpan.Zero);

    /// <summary>Begins to write what has gathered.</summary>
    public void Write(ServerCore core)
    {
        while (!IsBusy && core.Journal.TryTake() is { } batch)
        {
            if (world.Mutation == Mutation.ActBeforeStored && batch.Ops.Count > 0)
            {
                node.Link!.Write(batch.Ops, _ => { });
            }
            else if (batch.Ops.Count > 0)
            {
                IsBusy = true;
                world.Ambush.OnWrite(node);
                node.Log($"stores {batch.Ops.Count} changes");
                node.Link!.Write(batch.Ops, node.InThisLife<IReadOnlySet<string>?>(known => OnWritten(batch, known)));
                return;
            }

            core.OnStored(batch, FrozenSet<string>.Empty, node.Now);
            node.Perform();
        }
    }

    private void OnWritten(StoreBatch batch, IReadOnlySet<string>? known)
    {
        if (node.Link!.IsFenced)
        {
            node.Claim.Lose();
            return;
        }

        if (known is null && world.Mutation == Mutation.FailedWriteForgotten)
        {
            known = FrozenSet<string>.Empty;
        }

        if (known is not null)
        {
            Reset();
            node.Log("has stored them");
            node.Feed((core, now) => core.OnStored(batch, known, now));
            return;
        }

        node.Log("does not know whether they are stored");
        _delay = TimeSpan.FromSeconds(Math.Clamp(_delay.TotalSeconds * 2, 0.2, 2));
        node.After(_delay, () =>
        {
            IsBusy = false;
            node.Feed((core, now) => core.OnStoreFailed(batch, now));
        });
    }
}
