using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>Takes, keeps and gives up the claims of dead peers for one life of a server, as Mesh.Server's shell does.</summary>
internal sealed class AdoptedServers(SimWorld world, ServerNode node, SimStoreLink link, Action<TimeSpan, Action> after)
{
    /// <summary>What the core decided.</summary>
    public void Perform(Effects effects)
    {
        foreach (var server in effects.AdoptionRequests)
        {
            after(node.Store.Redis.Delay(), () => Take(server));
        }

        foreach (var server in effects.LeaseReleases)
        {
            if (world.Mutation != Mutation.AdoptionNotReleased)
            {
                after(node.Store.Redis.Delay(), () => link.Release(server));
            }
        }
    }

    private void Take(ServerId server)
    {
        // A server that keeps its state elsewhere, or speaks only lines, is not known to this store.
        var theirs = world.Servers.Find(other => other.Name == server.Value)?.Store;
        if (theirs is null || theirs.Redis != node.Store.Redis || theirs.Tasks.Count + theirs.Dead.Count == 0 || !theirs.Redis.IsUp || theirs.Lease.FencingToken == default
            || TakeLease(theirs) is not { } fencingToken)
        {
            node.Feed((core, now) => core.OnAdoptionRefused(server, now));
            return;
        }

        world.Coverage.Count("adoption: adopted");
        world.Coverage.Count("adoption: tasks", theirs.Tasks.Count);
        link.Adopt(server, theirs, fencingToken);
        Renew(server, theirs);
        var stored = theirs.Load();
        stored = stored with { Tasks = [.. stored.Tasks.Select(task => task with { StoredBy = server })] };
        node.Log($"adopts {stored.Tasks.Count} tasks of {server}");
        node.Feed((core, now) => core.OnAdopted(server, stored, now));
    }

    private SimFencingToken? TakeLease(SimStore theirs) =>
        world.Mutation == Mutation.AdoptionWithoutLease ? theirs.Lease.FencingToken : theirs.Lease.TryTake(byOwner: false, holderIsGone: false);

    private void Renew(ServerId server, SimStore theirs) => after(SimStore.LeaseExpiry / 3, () =>
    {
        if (world.Mutation == Mutation.AdoptionWithoutLease)
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
        if (held && !theirs.Lease.IsWanted)
        {
            Renew(server, theirs);
            return;
        }

        world.Coverage.Count(held ? "adoption: wanted back" : "adoption: claim lost");
        if (world.Mutation == Mutation.AdoptionNotReleased)
        {
            Renew(server, theirs);
            return;
        }

        node.Log($"gives up {server}");
        node.Feed((core, now) => core.OnAdoptionEnded(server, now));
    });
}
