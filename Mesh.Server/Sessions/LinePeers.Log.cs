namespace Mesh.Server.Sessions;

internal sealed partial class LineProtocolMiddleware
{
    [LoggerMessage(
        2201,
        LogLevel.Warning,
        "{RemoteAddress} speaks lines, which carry no token, and is not among Mesh__LinePeers__Allowed: it is turned away.")]
    private partial void LogNotAllowed(string remoteAddress);
}
