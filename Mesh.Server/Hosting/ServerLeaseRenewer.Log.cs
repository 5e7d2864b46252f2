using Mesh.Protocol;
using Mesh.Server.Storage;

namespace Mesh.Server.Hosting;

internal sealed partial class ServerLeaseRenewer
{
    [LoggerMessage(1401, LogLevel.Warning, "The store is away: this server takes no work until it is there. {Reason}")]
    private partial void LogStoreUnavailable(string reason);

    [LoggerMessage(1402, LogLevel.Warning, "A process serves under the id \"{Server}\" already: {Holder}. This one waits until it is gone, for {Limit} at most.")]
    private partial void LogLeaseHeld(ServerId server, ServerLeaseHolder holder, TimeSpan limit);
}
