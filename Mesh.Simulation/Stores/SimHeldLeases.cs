using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;
using Mesh.Server.ServerLeases;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Stores;

/// <summary>The leases that one process of a server holds: that of the server itself and those of adopted servers.</summary>
internal sealed class SimHeldLeases(SimWorld world, ServerNode node, SimStoreConnection connection)
{
    private readonly ServerId _own = new(node.Name);
    private readonly Dictionary<ServerId, SimHeldLease> _held = [];

    /// <summary>The takes without an answer. A take that is repeated is the same take.</summary>
    private readonly Dictionary<ServerId, int> _takes = [];

    public bool HasAdopted => _held.Keys.Any(server => server != _own);

    /// <summary>The servers of the leases.</summary>
    public IReadOnlyCollection<ServerId> Servers => _held.Keys;

    public IReadOnlyCollection<SimHeldLease> All => _held.Values;

    public bool TryGet(ServerId server, [NotNullWhen(true)] out SimHeldLease? lease) => _held.TryGetValue(server, out lease);

    public void Remove(ServerId server) => _held.Remove(server);

    /// <summary>Removes a lease that was lost, and returns the exception that reports it.</summary>
    public ServerLeaseLostException Lost(ServerId server)
    {
        _held.Remove(server);
        return new ServerLeaseLostException(server, node.Store.Lease.Holder);
    }

    public Task<ServerLeaseAcquireResult> AcquireAsync(ServerId server, ServerLeaseHolder self, string? gone)
    {
        if (!_takes.TryGetValue(server, out var take))
        {
            _takes.Add(server, take = node.Store.Redis.NextInstance());
        }

        return connection.CallAsync(() => Take(server, self, gone, take), answered =>
        {
            _takes.Remove(server);
            if (answered.Held is { } held)
            {
                _held[server] = held;
            }

            return answered.Answer;
        });
    }

    public Task<ServerLeaseRenewStatus> RenewAsync(ServerId server)
    {
        if (!_held.TryGetValue(server, out var lease))
        {
            return server == _own ? Task.FromException<ServerLeaseRenewStatus>(Lost(server)) : Task.FromResult(ServerLeaseRenewStatus.Lost);
        }

        if (server != _own && world.Mutation == Mutation.AdoptionWithoutLease)
        {
            return Task.FromResult(ServerLeaseRenewStatus.Held);
        }

        var known = lease.Known;
        return connection.CallAsync(() => (Verdict: lease.Store.Lease.Renew(lease.Self, lease.FencingToken, known), lease.Store.Lease.IsWanted), answered => answered.Verdict switch
        {
            StoreVerdict.Ok when server != _own && answered.IsWanted => GivenUp(server, "wanted back", ServerLeaseRenewStatus.HandbackRequested),
            StoreVerdict.Ok => ServerLeaseRenewStatus.Held,
            StoreVerdict.RolledBack when server == _own => ServerLeaseRenewStatus.StoreRolledBack,
            StoreVerdict.RolledBack or StoreVerdict.Lost when server != _own => GivenUp(server, "claim lost", ServerLeaseRenewStatus.Lost),
            StoreVerdict.Lost => throw Lost(server),
            _ => throw new InvalidOperationException("Unknown verdict."),
        });
    }

    public Task ReleaseAsync(ServerId server) =>
        (server == _own || world.Mutation != Mutation.AdoptionNotReleased) && _held.Remove(server, out var lease)
            ? connection.CallAsync(
                () =>
                {
                    lease.Store.Lease.Release(lease.FencingToken);
                    return true;
                },
                done => done)
            : Task.CompletedTask;

    private (ServerLeaseAcquireResult Answer, SimHeldLease? Held) Take(ServerId server, ServerLeaseHolder self, string? gone, int take)
    {
        // A server that has its state in another Redis, or speaks only lines, is not known to this store.
        var isOwn = server == _own;
        var store = isOwn ? node.Store : world.Servers.Find(other => other.Name == server.Value)?.Store;
        if (store is null || store.Redis != node.Store.Redis || (!isOwn && store.Lease.FencingToken == default))
        {
            return (new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Unknown), null);
        }

        var ignoresLease = !isOwn && world.Mutation == Mutation.AdoptionWithoutLease;
        if (store.Lease.IsHeldByOther(self, gone) && !ignoresLease)
        {
            if (isOwn)
            {
                world.Coverage.Count("server: waits for its claim");
                store.Lease.Want();
            }

            return (new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Held, store.Lease.FencingToken.ToString(), store.Lease.Holder), null);
        }

        return !isOwn && store.Tasks.Count + store.Dead.Count + store.Schedules.Count == 0
            ? (new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Empty), null)
            : (new ServerLeaseAcquireResult(ServerLeaseAcquireStatus.Acquired), new SimHeldLease(store, self, ignoresLease ? store.Lease.FencingToken : store.Lease.Take(self, take)));
    }

    private ServerLeaseRenewStatus GivenUp(ServerId server, string why, ServerLeaseRenewStatus state)
    {
        if (world.Mutation == Mutation.AdoptionNotReleased)
        {
            return ServerLeaseRenewStatus.Held;
        }

        world.Coverage.Count($"adoption: {why}");
        node.Log($"gives up {server}: {why}");
        if (state == ServerLeaseRenewStatus.Lost)
        {
            _held.Remove(server);
        }

        return state;
    }
}
