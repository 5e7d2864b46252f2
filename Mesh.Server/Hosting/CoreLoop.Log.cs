using Mesh.Protocol;

namespace Mesh.Server.Hosting;

internal sealed partial class CoreLoop
{
    [LoggerMessage(1001, LogLevel.Information, "{Server} is running and tells others to find it at {Advertise}.")]
    private partial void LogRunning(ServerId server, MeshEndpoint advertise);
}
