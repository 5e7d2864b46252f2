using System.Diagnostics.Metrics;
using Mesh.Common;

namespace Mesh.Server.Telemetry;

/// <summary>The metrics of connections, refused connections and failed authentication. Addresses are never tags.</summary>
internal sealed class AccessMetrics
{
    private readonly UpDownCounter<int> _open;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _unauthorized;
    private readonly Counter<long> _slowed;

    public AccessMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeshTelemetry.Name);
        _open = meter.CreateUpDownCounter<int>("mesh.connections", "{connection}", "Number of open connections to this server, of clients, workers and other servers.");
        _refused = meter.CreateCounter<long>(
            "mesh.connections.refused", "{connection}", "Number of connections that were turned away, by the setting that turned them away.");
        _dropped = meter.CreateCounter<long>(
            "mesh.connections.dropped", "{connection}", "Number of connections of workers and other servers that were closed, by the setting whose limit they broke.");
        _unauthorized = meter.CreateCounter<long>(
            "mesh.requests.unauthorized", "{request}", "Number of requests without the right token, by the status code of the response.");
        _slowed = meter.CreateCounter<long>("mesh.connections.slowed", "{pause}", "Number of pauses in reading from workers and other servers that send too much.");
    }

    public void Opened() => _open.Add(1);

    public void Closed() => _open.Add(-1);

    /// <summary>Counts a connection that was not accepted.</summary>
    /// <param name="limit">The configuration key of the limit.</param>
    public void Refuse(string limit) => _refused.Add(1, new KeyValuePair<string, object?>("mesh.limit", limit));

    /// <summary>Counts a connection that was closed because it exceeded a limit.</summary>
    /// <param name="limit">The configuration key of the limit.</param>
    public void Drop(string limit) => _dropped.Add(1, new KeyValuePair<string, object?>("mesh.limit", limit));

    public void Unauthorized(int status) => _unauthorized.Add(1, new KeyValuePair<string, object?>("http.response.status_code", status));

    public void Slow() => _slowed.Add(1);
}
