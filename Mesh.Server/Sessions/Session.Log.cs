using Mesh.Protocol;

namespace Mesh.Server.Sessions;

internal sealed partial class Session
{
    [LoggerMessage(2001, LogLevel.Warning, "{RemoteAddress} sent what is no message: {Error}.")]
    private partial void LogBadInput(string remoteAddress, ProtocolError error);

    [LoggerMessage(2002, LogLevel.Information, "{RemoteAddress} sent nothing within {Limit} and is dropped.")]
    private partial void LogSilent(string remoteAddress, TimeSpan limit);

    [LoggerMessage(2003, LogLevel.Debug, "{RemoteAddress} closed its side, and there was no answer for it in time.")]
    private partial void LogUnanswered(string remoteAddress);
}
