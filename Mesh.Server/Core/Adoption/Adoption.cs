using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>A server whose tasks this one serves.</summary>
internal sealed class AdoptedServer(ServerId server, DateTimeOffset since)
{
    public ServerId Server { get; } = server;

    public DateTimeOffset Since { get; } = since;

    /// <summary>Its tasks that were done here.</summary>
    public long Done { get; set; }
}
