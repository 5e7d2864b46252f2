using System.Diagnostics.Metrics;
using Mesh.Protocol;

namespace Mesh.Server.Telemetry;

/// <summary>The server's metrics.</summary>
internal sealed class MeshMetrics
{
    public const string MeterName = "Mesh";

    private readonly Counter<long> _protocolErrors;

    public MeshMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _protocolErrors = meter.CreateCounter<long>("mesh.protocol.errors", "{error}", "Messages that could not be read.");
    }

    public void CountProtocolError(ProtocolErrorKind kind, Framing framing) =>
        _protocolErrors.Add(1, new("mesh.error.kind", kind.ToString()), new("mesh.framing", framing.ToString()));
}
