using System.Diagnostics.Metrics;
using Mesh.Telemetry;

namespace Mesh.Server.Telemetry;

/// <summary>Who was not let in, or not let go on. Addresses never become tags.</summary>
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
        _open = meter.CreateUpDownCounter<int>("mesh.connections", "{connection}", "Connections of all kinds that are open.");
        _refused = meter.CreateCounter<long>("mesh.connections.refused", "{connection}", "Connections that were turned away, by the limit that they met.");
        _dropped = meter.CreateCounter<long>("mesh.connections.dropped", "{connection}", "Connections of peers that were cut, by the reason.");
        _unauthorized = meter.CreateCounter<long>("mesh.requests.unauthorized", "{request}", "Requests without the right token, by the answer's status.");
        _slowed = meter.CreateCounter<long>("mesh.connections.slowed", "{pause}", "Pauses in reading from peers that send too much.");
    }

    public void Opened() => _open.Add(1);

    public void Closed() => _open.Add(-1);

    /// <param name="limit">The option that says no.</param>
    public void Refuse(string limit) => _refused.Add(1, new KeyValuePair<string, object?>("mesh.limit", limit));

    /// <param name="limit">The option that says so.</param>
    public void Drop(string limit) => _dropped.Add(1, new KeyValuePair<string, object?>("mesh.limit", limit));

    public void Unauthorized(int status) => _unauthorized.Add(1, new KeyValuePair<string, object?>("http.response.status_code", status));

    public void Slow() => _slowed.Add(1);
}
