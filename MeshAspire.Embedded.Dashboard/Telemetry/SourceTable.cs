using System.Buffers;

namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>The processes that have sent something, by service and instance.</summary>
internal sealed class SourceTable(TelemetryLimits limits)
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Service, string Instance), Source> _sources = [];
    private readonly Queue<(string Service, string Instance)> _order = new();
    private readonly Dictionary<string, int> _colours = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_lock)
            {
                return [.. _sources.Values.Select(source => source.Name).Distinct().Order(StringComparer.OrdinalIgnoreCase)];
            }
        }
    }

    public Source Get(string service, string instance, IReadOnlyList<Tag> attributes)
    {
        lock (_lock)
        {
            if (_sources.TryGetValue((service, instance), out var known))
            {
                return known;
            }

            if (_sources.Count >= limits.Sources)
            {
                _sources.Remove(_order.Dequeue());
            }

            var source = new Source(service, instance, NameOf(service, instance), ColourOf(service), attributes);
            _sources.Add((service, instance), source);
            _order.Enqueue((service, instance));
            return source;
        }
    }

    /// <summary>The same for a service in all pages, whoever asks first.</summary>
    public int Colour(string service)
    {
        lock (_lock)
        {
            return ColourOf(service);
        }
    }

    /// <summary>An AppHost names the instances of a replica by its name and, to tell runs apart, six hex digits: <c>workers-2-1a2b3c</c>.</summary>
    internal static string NameOf(string service, string instance)
    {
        var named = instance.Length >= service.Length + 7
            && instance.StartsWith(service, StringComparison.OrdinalIgnoreCase)
            && instance[service.Length] == '-'
            && instance[^7] == '-'
            && !instance.AsSpan(instance.Length - 6).ContainsAnyExcept(HexDigits);
        return named ? instance[..^7] : service;
    }

    private int ColourOf(string service)
    {
        if (!_colours.TryGetValue(service, out var colour))
        {
            colour = _colours.Count;
            if (_colours.Count < limits.Sources)
            {
                _colours.Add(service, colour);
            }
        }

        return colour;
    }
}
