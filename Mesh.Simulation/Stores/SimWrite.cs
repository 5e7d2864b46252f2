using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>One call of the write's script.</summary>
/// <param name="Ops">What it changes.</param>
/// <param name="Number">Its number among the tries.</param>
/// <param name="Known">The number of the last write that the writer knew of when it sent this one.</param>
internal sealed record SimWrite(IReadOnlyList<StoreOp> Ops, long Number, long Known)
{
    /// <summary>It has arrived, or never will.</summary>
    public bool IsCompleted { get; set; }
}

/// <summary>The claim that an adopted server's state is written under.</summary>
/// <param name="Offset">What makes the number of a write one of theirs.</param>
internal sealed record AdoptedLease(SimStore Store, SimFencingToken FencingToken, long Offset)
{
    /// <summary>The number of the last write that was acknowledged.</summary>
    public long Known { get; set; }
}
