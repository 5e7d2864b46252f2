using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Mesh.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Telemetry;

/// <summary>One measurement of an instrument of the meter "Mesh".</summary>
internal sealed record Measurement(string Name, double Value, IReadOnlyDictionary<string, object?> Tags);

/// <summary>Records what the meter of one server measures, until it is disposed.</summary>
internal sealed class RecordedMetrics : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<Measurement> _all = new();

    public RecordedMetrics(TestServer server)
    {
        var factory = server.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MeshTelemetry.Name && instrument.Meter.Scope == factory)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public IEnumerable<Measurement> All => _all;

    /// <summary>The sum of the measurements of an instrument that have all of these tags.</summary>
    public double Sum(string name, params (string Key, string Value)[] tags) => _all
        .Where(one => one.Name == name && Array.TrueForAll(tags, tag => one.Tags.TryGetValue(tag.Key, out var value) && $"{value}" == tag.Value))
        .Sum(one => one.Value);

    /// <summary>Adds a measurement of each observable gauge.</summary>
    public void ReadGauges() => _listener.RecordObservableInstruments();

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _all.Enqueue(new Measurement(instrument.Name, value, new Dictionary<string, object?>(tags.ToArray())));
}
