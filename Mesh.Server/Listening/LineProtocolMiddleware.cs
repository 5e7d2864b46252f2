using System.Net;
using Mesh.Protocol;
using Mesh.Server.Access;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Sessions;
using Mesh.Server.Telemetry;
using Mesh.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Listening;

/// <summary>
/// Distinguishes the line protocol from HTTP and TLS on one port by the first byte of a connection, and serves line connections
/// (docs/protocol.md, "Transport"). A line connection cannot present a token. When a token is configured, only loopback and the listed addresses may open line connections.
/// </summary>
internal sealed partial class LineProtocolMiddleware(
    SessionTable sessions, MeshTokens tokens, WrongProtocolResponder wrongProtocol, IOptions<MeshOptions> options, AccessMetrics metrics, TimeProvider time, ILogger<LineProtocolMiddleware> logger)
{
    private const string Option = "Mesh__LinePeers__Allowed";

    /// <summary>The content type "handshake", with which every TLS connection begins (RFC 8446, 5.1).</summary>
    private const byte TlsHandshake = 0x16;

    private readonly IPNetwork[] _allowed =
        [.. options.Value.LinePeers.Allowed.Select(text => AddressRange.TryParse(text, out var range) ? range : throw new FormatException(text))];

    private readonly TimeSpan _idleTimeout = options.Value.Sessions.IdleTimeout;
    private readonly MeshConnectionOptions _connectionOptions = SessionTable.ConnectionOptions(options.Value.Sessions, time);
    private readonly LogRateLimiter _logLimiter = new(logger, time);

    public static bool IsTls(byte first) => first == TlsHandshake;

    /// <summary>A Kestrel connection middleware. Runs before TLS and again inside it. Serves line connections, and passes all other connections on.</summary>
    public async Task OnConnectedAsync(ConnectionContext context, ConnectionDelegate next)
    {
        if (await FirstByteAsync(context) is not { } first)
        {
            context.Abort();
            return;
        }

        if (WrongProtocolResponder.IsRedisProtocol(first))
        {
            await wrongProtocol.AnswerRedisClientAsync(context);
            return;
        }

        if (!LineFraming.IsLineProtocol(first))
        {
            await next(context);
            return;
        }

        var connection = new LineConnection(context.Transport, $"{context.RemoteEndPoint}", _connectionOptions, context.Abort, ResetProbe.Of(context.Features));
        if (IsAllowed((context.RemoteEndPoint as IPEndPoint)?.Address))
        {
            await sessions.ServeAsync(connection, TokenGrant.Anonymous);
        }
        else
        {
            metrics.Refuse(Option);
            if (_logLimiter.TryAcquire())
            {
                LogNotAllowed(connection.RemoteAddress);
            }

            connection.TrySend(new Rejection($"Line connections cannot present a token, and this address is not among {Option}"));
            await connection.CloseAsync(CloseReason.ProtocolError);
        }

        await connection.Closed;
    }

    internal bool IsAllowed(IPAddress? address) =>
        tokens.AllowsAnonymous || (address is not null && (IPAddress.IsLoopback(address) || Array.Exists(_allowed, range => range.Contains(AddressRange.Plain(address)))));

    private async Task<byte?> FirstByteAsync(ConnectionContext context)
    {
        var input = context.Transport.Input;
        using var silence = new CancellationTokenSource(_idleTimeout, time);
        try
        {
            var result = await input.ReadAsync(silence.Token);
            byte? first = result.Buffer.IsEmpty ? null : result.Buffer.FirstSpan[0];
            input.AdvanceTo(result.Buffer.Start);
            return first;
        }
        catch (OperationCanceledException)
        {
            metrics.Drop("Mesh__Sessions__IdleTimeout");
            return null;
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            return null;
        }
    }

    [LoggerMessage(
        2201,
        LogLevel.Warning,
        "{RemoteAddress} uses the line protocol, which carries no token, and is not among Mesh__LinePeers__Allowed. The connection is refused.")]
    private partial void LogNotAllowed(string remoteAddress);
}
