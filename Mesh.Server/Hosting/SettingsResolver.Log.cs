namespace Mesh.Server.Hosting;

internal sealed partial class SettingsResolver
{
    [LoggerMessage(1301, LogLevel.Warning, "Peer {Peer}: no address is known for {Endpoint} yet, trying again: {Reason}")]
    private partial void LogUnresolved(string peer, string endpoint, string reason);
}
