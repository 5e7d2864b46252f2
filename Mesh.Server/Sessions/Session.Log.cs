using Mesh.Protocol;
using Mesh.Server.Access;

namespace Mesh.Server.Sessions;

internal sealed partial class Session
{
    [LoggerMessage(2001, LogLevel.Warning, "{RemoteAddress} sent what is no message: {Error}.")]
    private partial void LogBadInput(string remoteAddress, ProtocolError error);

    [LoggerMessage(2002, LogLevel.Information, "{RemoteAddress} {Why} and is dropped ({Option}).")]
    private partial void LogDropped(string remoteAddress, string why, string option);

    [LoggerMessage(2003, LogLevel.Debug, "{RemoteAddress} closed its side, and there was no answer for it in time.")]
    private partial void LogUnanswered(string remoteAddress);

    [LoggerMessage(2005, LogLevel.Warning, "{RemoteAddress} came with a token that is accepted no more, and is closed.")]
    private partial void LogRevoked(string remoteAddress);

    [LoggerMessage(2006, LogLevel.Warning, "{RemoteAddress} sent a message that takes a {Role}'s token, with another.")]
    private partial void LogNotPermitted(string remoteAddress, TokenRoles role);

    [LoggerMessage(2004, LogLevel.Warning, "{RemoteAddress} sends more than {Limit} messages in a second, and is read no faster (Mesh__Sessions__MaxMessagesPerSecond).")]
    private partial void LogSlowed(string remoteAddress, int limit);
}
