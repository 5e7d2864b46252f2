using Mesh.Protocol;

namespace Mesh.Server.Supervisor;

internal sealed partial class SupervisorReporter
{
    [LoggerMessage(6001, LogLevel.Warning, "The supervisor at {Endpoint} (Mesh__Supervisor__Endpoint) is away; reports are dropped until it is back. {Reason}")]
    private partial void LogUnavailable(MeshEndpoint endpoint, string reason);

    [LoggerMessage(6002, LogLevel.Information, "The supervisor at {Endpoint} is back.")]
    private partial void LogAvailableAgain(MeshEndpoint endpoint);
}
