using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>Takes, keeps and gives up the claims of dead peers for one life of a server, as Mesh.Server's shell does.</summary>
internal sealed class AdoptedServers(SimWorld world, ServerNode node, SimStoreLink link, Action<TimeSpan, Action> after)
{
    /// <summary>What the core decided.</summary>
    public void Perform(Effects effects)
    {
        foreach (var server in effects.Adoptions)
        {
            after(node.Store.Redis.Delay(), () => Take(server));
        }

        foreach (var server in effects.Releases)
        {
            if (world.Mutation != Mutation.AdoptionNotGivenUp)
            {
                after(node.Store.Redis.Delay(), () => link.Release(server));
            }
        }
    }

    private void Take(ServerId server)
    {
        // A server that keeps its state elsewhere, or speaks only lines, is not known to this store.
        var theirs = world.Servers.Find(other => other.Name == server.Value)?.Store;
        if (theirs is null || theirs.Redis != node.Store.Redis || theirs.Tasks.Count + theirs.Dead.Count == 0 || !theirs.Redis.IsUp || theirs.Claim.Epoch == default
            || TakeClaim(theirs) is not { } epoch)
        {
            node.Feed((core, now) => core.OnAdoptionRefused(server, now));
            return;
        }

        world.Coverage.Count("adoption: adopted");
        world.Coverage.Count("adoption: tasks", theirs.Tasks.Count);
        link.Adopt(server, theirs, epoch);
        Renew(server, theirs);
        var stored = theirs.Load();
        stored = stored with { Tasks = [.. stored.Tasks.Select(task => task with { Keeper = server })] };
        node.Log($"adopts {stored.Tasks.Count} tasks of {server}");
        node.Feed((core, now) => core.OnAdopted(server, stored, now));
    }

    private SimEpoch? TakeClaim(SimStore theirs) =>
        world.Mutation == Mutation.AdoptionWithoutClaim ? theirs.Claim.Epoch : theirs.Claim.TryTake(byOwner: false, holderIsGone: false);

    private void Renew(ServerId server, SimStore theirs) => after(SimStore.ClaimExpiry / 3, () =>
    {
        if (world.Mutation == Mutation.AdoptionWithoutClaim)
        {
            return;
        }

        if (!theirs.Redis.IsUp)
        {
            Renew(server, theirs);
            return;
        }

        if (!link.Adopted.ContainsKey(server))
        {
            // Given up, since the store had gone back.
            return;
        }

        var held = link.Renew(server) == StoreVerdict.Ok;
        if (held && !theirs.Claim.IsWanted)
        {
            Renew(server, theirs);
            return;
        }

        world.Coverage.Count(held ? "adoption: wanted back" : "adoption: claim lost");
        if (world.Mutation == Mutation.AdoptionNotGivenUp)
        {
            Renew(server, theirs);
            return;
        }

        node.Log($"gives up {server}");
        node.Feed((core, now) => core.OnDisowned(server, now));
    });
}
