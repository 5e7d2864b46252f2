using System.Buffers;
using System.Text;
using Mesh.Protocol;
using Mesh.Server.Telemetry;
using Microsoft.AspNetCore.Connections;

namespace Mesh.Server.Listening;

/// <summary>Answers clients that connected to the wrong port, in the protocol that they use, and logs their addresses.</summary>
internal sealed partial class WrongProtocolResponder(MeshMetrics metrics, TimeProvider time, ILogger<WrongProtocolResponder> logger)
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(1);

    private static readonly byte[] RedisAnswer = "-ERR this is a mesh server, not Redis: it accepts HTTP and JSON objects in lines\r\n"u8.ToArray();

    private static readonly byte[] PlainHttpAnswer = Encoding.ASCII.GetBytes(Http("This port requires TLS.", "This is an HTTP request without TLS, sent to a port with TLS: use https:// or wss://."));

    private readonly LogRateLimiter _logLimiter = new(logger, time);

    /// <summary>Returns whether a connection's first byte is that of a Redis client. Each Redis command is an array, which begins with an asterisk.</summary>
    public static bool IsRedisProtocol(byte first) => first == (byte)'*';

    /// <summary>Answers a Redis client and ends the connection.</summary>
    public Task AnswerRedisClientAsync(ConnectionContext context)
    {
        if (_logLimiter.TryAcquire())
        {
            LogRedisClient($"{context.RemoteEndPoint}");
        }

        return AnswerAsync(context, RedisAnswer, Framing.Line);
    }

    /// <summary>
    /// A Kestrel connection middleware that runs directly before TLS, after <see cref="LineProtocolMiddleware"/>. Answers and ends a connection that does not begin with TLS.
    /// </summary>
    public async Task RejectPlaintextAsync(ConnectionContext context, ConnectionDelegate next)
    {
        byte? first = null;
        try
        {
            // LineProtocolMiddleware has already waited for the first byte.
            var result = await context.Transport.Input.ReadAsync();
            first = result.Buffer.IsEmpty ? null : result.Buffer.FirstSpan[0];
            context.Transport.Input.AdvanceTo(result.Buffer.Start);
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            // The connection is lost. The TLS middleware handles this.
        }

        if (first is null || LineProtocolMiddleware.IsTls(first.Value))
        {
            await next(context);
            return;
        }

        if (_logLimiter.TryAcquire())
        {
            LogPlainHttp($"{context.RemoteEndPoint}");
        }

        await AnswerAsync(context, PlainHttpAnswer, Framing.WebSocket);
    }

    private async Task AnswerAsync(ConnectionContext context, byte[] answer, Framing framing)
    {
        metrics.CountProtocolError(ProtocolErrorKind.NotJson, framing);
        using var enough = new CancellationTokenSource(AnswerTime, time);
        try
        {
            context.Transport.Output.Write(answer);
            await FinalResponse.FlushAndDrainAsync(context, enough.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            context.Abort();
        }
    }

    private static string Http(string title, string detail)
    {
        var body = $$"""{"title":"{{title}}","status":400,"detail":"{{detail}}"}""";
        return $"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}";
    }

    [LoggerMessage(2501, LogLevel.Warning, "{RemoteAddress} speaks the protocol of Redis. Check whether it is configured with the wrong address: this is a mesh server.")]
    private partial void LogRedisClient(string remoteAddress);

    [LoggerMessage(2502, LogLevel.Warning, "{RemoteAddress} speaks HTTP without TLS on a port with TLS. The connection is closed.")]
    private partial void LogPlainHttp(string remoteAddress);
}

/// <summary>Ends connections that are not served.</summary>
internal static class FinalResponse
{
    /// <summary>
    /// Sends the pending output, and reads until the peer closes. A socket that is closed with unread input resets the connection, and the peer may not receive the output.
    /// </summary>
    public static async Task FlushAndDrainAsync(ConnectionContext context, CancellationToken cancellationToken)
    {
        await context.Transport.Output.CompleteAsync();
        bool isCompleted;
        do
        {
            var rest = await context.Transport.Input.ReadAsync(cancellationToken);
            context.Transport.Input.AdvanceTo(rest.Buffer.End);
            isCompleted = rest.IsCompleted;
        }
        while (!isCompleted);
    }
}
