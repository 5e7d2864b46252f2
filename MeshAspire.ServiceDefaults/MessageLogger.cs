using Mesh.Protocol;
using Microsoft.Extensions.Logging;

namespace Mesh.Telemetry;

/// <summary>
/// Every message that is sent and received, at Debug, in a category of its own and in the trace that the message tells. Costs a look at the level while that is off:
/// <c>Logging__LogLevel__Mesh.Messages=Debug</c> switches it on.
/// </summary>
public sealed partial class MessageLogger(ILoggerFactory loggers)
{
    public const string Category = "Mesh.Messages";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    /// <param name="peer">Who it goes to: an id, or else an address.</param>
    /// <param name="session">The number of the connection, in this process and on this side of it.</param>
    public void Sent(MeshMessage message, string peer, long session)
    {
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            using var trace = MeshTelemetry.Enter(message.TraceParent);
            LogSent(MessageNames.Of(message), peer, session, MeshTelemetry.TraceId(message.TraceParent));
        }
    }

    /// <param name="peer">Who it comes from: an id, or else an address.</param>
    /// <param name="session">The number of the connection, in this process and on this side of it.</param>
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
