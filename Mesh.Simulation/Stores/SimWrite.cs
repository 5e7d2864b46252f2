using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.ServerLeases;

namespace Mesh.Simulation.Stores;

/// <summary>One call of the write's script.</summary>
/// <param name="Ops">What it changes.</param>
/// <param name="Own">The number under the lease of the server itself.</param>
/// <param name="Adopted">The numbers under the leases of the adopted servers that it concerns.</param>
internal sealed record SimWrite(IReadOnlyList<StoreOp> Ops, SimTry Own, IReadOnlyList<(ServerId Server, SimTry Try)> Adopted)
{
    /// <summary>True once it has arrived, or is lost.</summary>
    public bool IsCompleted { get; set; }
}

/// <summary>One try to write under a lease.</summary>
/// <param name="Number">Its number among the tries.</param>
/// <param name="Known">The number of the last write that the writer knew of when it sent this one.</param>
internal sealed record SimTry(SimHeldLease Lease, long Number, long Known)
{
    public static SimTry Of(SimHeldLease lease) => new(lease, ++lease.Tried, lease.Known);
}

/// <summary>A lease that a process has.</summary>
internal sealed class SimHeldLease(SimStore store, ServerLeaseHolder self, SimFencingToken fencingToken)
{
    public SimStore Store { get; } = store;

    public ServerLeaseHolder Self { get; } = self;

    public SimFencingToken FencingToken { get; } = fencingToken;

    /// <summary>The number of the last write that was acknowledged.</summary>
    public long Known { get; set; } = store.Lease.Written;

    /// <summary>The number of the last write that was sent.</summary>
    public long Tried { get; set; } = store.Lease.Written;

    /// <summary>The store has gone back and was not loaded since.</summary>
    public bool MustReload { get; set; }
}
