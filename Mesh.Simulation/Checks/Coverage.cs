using System.Globalization;

namespace Mesh.Simulation.Checks;

/// <summary>Counts what happens, so that a test can require that the lives exercise the mesh.</summary>
public sealed class Coverage
{
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> Counts => _counts;

    public long this[string what] => _counts.GetValueOrDefault(what);

    public void Count(string what, long times = 1) => _counts[what] = this[what] + times;

    public void Add(Coverage other)
    {
        foreach (var (what, times) in other._counts)
        {
            Count(what, times);
        }
    }

    public override string ToString() =>
        string.Join(Environment.NewLine, _counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Value,12:N0}  {count.Key}")));
}
