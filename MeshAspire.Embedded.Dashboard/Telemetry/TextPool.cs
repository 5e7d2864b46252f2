using System.Collections.Concurrent;

namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>Keeps one copy of the names that come again with each span; what finds no room stays as it came.</summary>
internal sealed class TextPool
{
    private const int Room = 4_096;
    private const int Longest = 128;

    private readonly ConcurrentDictionary<string, string> _texts = new(StringComparer.Ordinal);
    private int _count;

    public string Share(string text)
    {
        if (text.Length > Longest)
        {
            return text;
        }

        if (_texts.TryGetValue(text, out var known))
        {
            return known;
        }

        if (Volatile.Read(ref _count) < Room && _texts.TryAdd(text, text))
        {
            Interlocked.Increment(ref _count);
        }

        return text;
    }
}
