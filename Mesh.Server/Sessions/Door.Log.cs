namespace Mesh.Server.Sessions;

internal sealed partial class Door
{
    [LoggerMessage(2301, LogLevel.Warning, "{RemoteAddress} is turned away: there are {Limit} connections already ({Option}).")]
    private partial void LogTurnedAway(string remoteAddress, int limit, string option);
}
