using Mesh.Protocol;
using Microsoft.Extensions.Logging;

namespace Mesh.Common;

/// <summary>
/// Logs each message that is sent or received, at the level Debug, in the category Mesh.Messages and in the trace of the message.
/// <c>Logging__LogLevel__Mesh.Messages=Debug</c> enables it. While it is disabled, a call only checks the level.
/// </summary>
public sealed partial class MessageLogger(ILoggerFactory loggers)
{
    public const string Category = "Mesh.Messages";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    /// <param name="peer">The id of the receiver, or its address when the id is unknown.</param>
    /// <param name="session">The number of the connection in this process. The peer numbers it differently.</param>
    public void Sent(MeshMessage message, string peer, long session)
    {
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            using var trace = MeshTelemetry.Enter(message.TraceParent);
            LogSent(MessageNames.Of(message), peer, session, MeshTelemetry.TraceId(message.TraceParent));
        }
    }

    /// <param name="peer">The id of the sender, or its address when the id is unknown.</param>
    /// <param name="session">The number of the connection in this process. The peer numbers it differently.</param>
    public void Received(MeshMessage message, string peer, long session)
    {
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            using var trace = MeshTelemetry.Enter(message.TraceParent);
            LogReceived(MessageNames.Of(message), peer, session, MeshTelemetry.TraceId(message.TraceParent));
        }
    }

    [LoggerMessage(7001, LogLevel.Debug, "Sent {Message} to {Peer} in session {Session}, trace {TraceId}.", SkipEnabledCheck = true)]
    private partial void LogSent(string message, string peer, long session, string? traceId);

    [LoggerMessage(7002, LogLevel.Debug, "Received {Message} from {Peer} in session {Session}, trace {TraceId}.", SkipEnabledCheck = true)]
    private partial void LogReceived(string message, string peer, long session, string? traceId);
}
