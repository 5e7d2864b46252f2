namespace Mesh.Server.Sessions;

internal sealed partial class ConnectionLimiter
{
    [LoggerMessage(2301, LogLevel.Warning, "{RemoteAddress} is turned away: there are {Limit} connections already ({Option}).")]
    private partial void LogRejected(string remoteAddress, int limit, string option);
}
