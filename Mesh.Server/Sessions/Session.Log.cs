using Mesh.Protocol;
using Mesh.Server.Access;

namespace Mesh.Server.Sessions;

internal sealed partial class Session
{
    [LoggerMessage(2001, LogLevel.Warning, "{RemoteAddress} sent an invalid message: {Error}.")]
    private partial void LogBadInput(string remoteAddress, ProtocolError error);

    [LoggerMessage(2002, LogLevel.Information, "{RemoteAddress} {Why}. The connection is aborted ({Option}).")]
    private partial void LogDropped(string remoteAddress, string why, string option);

    [LoggerMessage(2003, LogLevel.Debug, "{RemoteAddress} closed its sending side, and there was no reply for it in time.")]
    private partial void LogUnanswered(string remoteAddress);

    [LoggerMessage(2005, LogLevel.Warning, "The connection of {RemoteAddress} is closed: its token is not accepted any more.")]
    private partial void LogRevoked(string remoteAddress);

    [LoggerMessage(2006, LogLevel.Warning, "{RemoteAddress} sent a message that its token does not permit. The message requires the role {Role}.")]
    private partial void LogNotPermitted(string remoteAddress, TokenRoles role);

    [LoggerMessage(2004, LogLevel.Warning, "{RemoteAddress} sends more than {Limit} messages in a second. Further messages are delayed (Mesh__Sessions__MaxMessagesPerSecond).")]
    private partial void LogSlowed(string remoteAddress, int limit);
}
