using MeshAspire.Embedded.Dashboard.Telemetry;

namespace MeshAspire.Embedded.Dashboard.Feed;

/// <param name="Number">Counts the lines of all consoles: names this one.</param>
/// <param name="Line">What was written.</param>
internal sealed record ConsoleEntry(long Number, FeedLine Line);

/// <summary>The newest lines of each replica's console.</summary>
internal sealed class ConsoleStore(TelemetryLimits limits)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Ring<ConsoleEntry>> _consoles = new(StringComparer.OrdinalIgnoreCase);
    private long _version;
    private long _characters;

    public long Version => Volatile.Read(ref _version);

    public void Add(FeedLine line)
    {
        var kept = line.Text.Length <= limits.TextLength ? line : line with { Text = string.Concat(line.Text.AsSpan(0, limits.TextLength), "…") };
        lock (_lock)
        {
            if (!_consoles.TryGetValue(line.Resource, out var ring))
            {
                _consoles.Add(line.Resource, ring = new(limits.ConsoleLines));
            }

            _characters += kept.Text.Length;
            if (ring.Add(new ConsoleEntry(++_version, kept), out var dropped))
            {
                _characters -= dropped!.Line.Text.Length;
            }

            while (_characters > limits.ConsoleCharacters)
            {
                _characters -= _consoles.Values.MaxBy(one => one.Count)!.RemoveOldest().Line.Text.Length;
            }
        }
    }

    /// <summary>The newest lines, oldest first.</summary>
    public IReadOnlyList<ConsoleEntry> Newest(string resource, int most)
    {
        lock (_lock)
        {
            return _consoles.TryGetValue(resource, out var ring) ? ring.Newest(most) : [];
        }
    }
}
