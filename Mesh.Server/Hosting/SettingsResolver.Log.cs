namespace Mesh.Server.Hosting;

internal sealed partial class SettingsResolver
{
    [LoggerMessage(1301, LogLevel.Warning, "Peer {Peer}: no address is known for {Endpoint} yet, trying again.")]
    private partial void LogUnresolved(string peer, string endpoint);

    [LoggerMessage(1302, LogLevel.Debug, "Service discovery of {Name} failed: {Reason}")]
    private partial void LogDiscoveryFailed(string name, string reason);
}
