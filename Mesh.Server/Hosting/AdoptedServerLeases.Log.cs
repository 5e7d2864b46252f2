using Mesh.Protocol;

namespace Mesh.Server.Hosting;

internal sealed partial class AdoptedServerLeases
{
    [LoggerMessage(1501, LogLevel.Warning, "{Server} stays dead, and its tasks cannot be served here, since not all that is stored of it can be read: {Fault}")]
    private partial void LogUnreadable(ServerId server, string fault);
}
