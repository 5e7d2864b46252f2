using Mesh.Protocol;

namespace Mesh.Server.Links;

internal sealed partial class PeerLink
{
    [LoggerMessage(4001, LogLevel.Information, "{Peer} speaks {Framing}.")]
    private partial void LogFraming(ServerId peer, Framing framing);

    [LoggerMessage(4002, LogLevel.Debug, "{Message} to {Peer} failed: {Failure}.")]
    private partial void LogFailed(string message, ServerId peer, string failure);
}
