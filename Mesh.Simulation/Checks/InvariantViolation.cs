namespace Mesh.Simulation.Checks;

/// <summary>Thrown when a life breaks an invariant. Ends the life.</summary>
internal sealed class InvariantViolation(Invariant invariant, string detail, Exception? inner = null) : Exception(detail, inner)
{
    public Invariant Invariant { get; } = invariant;
}
