namespace Mesh.Server.Sessions;

internal sealed partial class SessionTable
{
    [LoggerMessage(
        2101,
        LogLevel.Warning,
        "{RemoteAddress} is turned away: there are {Limit} connections already (Mesh__Sessions__MaxConnections).")]
    private partial void LogFull(string remoteAddress, int limit);
}
