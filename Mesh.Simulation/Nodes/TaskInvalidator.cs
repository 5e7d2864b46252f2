using Mesh.Accounts;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>Closes a server's tasks in the ledger before they are given up.</summary>
internal sealed class TaskInvalidator(SimWorld world, ServerNode node)
{
    public void Invalidate(TaskRecord task)
    {
        node.Log("voids", task.WireId);
        if (world.Mutation == Mutation.DeadLetteredUnchecked)
        {
            node.After(TimeSpan.Zero, () => node.Feed((core, now) => core.OnInvalidated(task.WireId, null, now)));
            return;
        }

        world.Ledger.Call(() => world.Ledger.Close(task.User, task.WireId), node.IgnoreAfterRestart<LedgerUpdate?>(closed =>
        {
            if (closed is { } known)
            {
                world.Coverage.Count(known.Balance is null ? "task: void closed it" : "task: void found it applied");
                node.Feed((core, now) => core.OnInvalidated(task.WireId, known.Balance, now));
            }
            else
            {
                node.After(TimeSpan.FromSeconds(1), () => node.Feed((core, now) => core.OnInvalidationFailed(task.WireId, now)));
            }
        }));
    }
}
