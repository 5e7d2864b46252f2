namespace Mesh.Simulation;

/// <summary>Ends a life that broke an invariant.</summary>
internal sealed class InvariantViolation(Invariant invariant, string detail, Exception? inner = null) : Exception(detail, inner)
{
    public Invariant Invariant { get; } = invariant;
}
