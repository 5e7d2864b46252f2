using System.Collections.Concurrent;

namespace Mesh.Fuzz;

/// <summary>Counts the answers of the server by their kind.</summary>
internal sealed class ResponseCounter
{
    private readonly ConcurrentDictionary<string, int> _counts = [];

    public IReadOnlyDictionary<string, int> Counts => _counts;

    public void Count(string answer) => _counts.AddOrUpdate(answer, 1, static (_, count) => count + 1);
}
