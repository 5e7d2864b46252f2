namespace Mesh.Bench.Compare;

/// <summary>The order of the systems in each round. A machine whose speed drifts would favour one system in a fixed order.</summary>
internal static class SystemRotation
{
    /// <summary>Returns the order of a round. In as many rounds as there are systems, each one has each place once; the next rounds run backwards, so that each also follows another one.</summary>
    /// <param name="round">The number of the round, from 0.</param>
    public static IReadOnlyList<T> Order<T>(IReadOnlyList<T> systems, int round)
    {
        var first = round % systems.Count;
        var rotated = systems.Skip(first).Concat(systems.Take(first));
        return [.. round / systems.Count % 2 == 0 ? rotated : rotated.Reverse()];
    }
}
