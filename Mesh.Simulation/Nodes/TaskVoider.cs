using Mesh.Accounts;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>Closes a server's tasks in the ledger before they are given up.</summary>
internal sealed class TaskVoider(SimWorld world, ServerNode node)
{
    public void Void(TaskRecord task)
    {
        node.Log("voids", task.WireId);
        if (world.Mutation == Mutation.GivenUpUnasked)
        {
            node.After(TimeSpan.Zero, () => node.Feed((core, now) => core.OnVoided(task.WireId, null, now)));
            return;
        }

        world.Ledger.Call(() => world.Ledger.Close(task.User, task.WireId), node.InThisLife<LedgerUpdate?>(closed =>
        {
            if (closed is { } known)
            {
                world.Coverage.Count(known.Balance is null ? "task: void closed it" : "task: void found it applied");
                node.Feed((core, now) => core.OnVoided(task.WireId, known.Balance, now));
            }
            else
            {
                node.After(TimeSpan.FromSeconds(1), () => node.Feed((core, now) => core.OnVoidFailed(task.WireId, now)));
            }
        }));
    }
}
