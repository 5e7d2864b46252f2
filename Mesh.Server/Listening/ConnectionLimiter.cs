using System.Buffers;
using System.Net;
using System.Text;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Listening;

/// <summary>
/// Limits the number of connections of all protocols, before anything is read from them. A connection above a limit is refused with a line or an HTTP response that names the option, so that
/// the peer knows that a server is present and tries again later.
/// </summary>
internal sealed partial class ConnectionLimiter
{
    /// <summary>
    /// The number of connections in addition to <see cref="SessionsOptions.MaxConnections"/> for HTTP clients and for connections whose protocol is not known yet. Health probes and the map
    /// are served while workers use all other connections.
    /// </summary>
    public const int ReservedHttpConnections = 1_000;

    /// <summary>The number of refused connections that are answered at the same time. All others are closed without an answer.</summary>
    private const int MaxAnswered = 256;

    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(1);

    private readonly SessionsOptions _options;
    private readonly ConnectionCounter _counts;
    private readonly AccessMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LogRateLimiter _logLimiter;
    private int _answered;

    public ConnectionLimiter(IOptions<MeshOptions> options, AccessMetrics metrics, TimeProvider time, ILogger<ConnectionLimiter> logger)
    {
        _options = options.Value.Sessions;
        _counts = new(_options.MaxConnections + ReservedHttpConnections, _options.MaxConnectionsPerAddress);
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _logLimiter = new(logger, time);
    }

    /// <summary>The number of open connections of all protocols.</summary>
    public int OpenCount => _counts.All;

    /// <summary>A connection middleware of Kestrel.</summary>
    public async Task OnConnectedAsync(ConnectionContext context, ConnectionDelegate next)
    {
        using var entry = _counts.Enter((context.RemoteEndPoint as IPEndPoint)?.Address);
        switch (entry.Outcome)
        {
            case ConnectionOutcome.Admitted:
                _metrics.Opened();
                try
                {
                    await next(context);
                }
                finally
                {
                    _metrics.Closed();
                }

                break;
            case ConnectionOutcome.TooMany:
                await RejectAsync(context, _options.MaxConnections, "Mesh__Sessions__MaxConnections");
                break;
            case ConnectionOutcome.TooManyFromAddress:
                await RejectAsync(context, _options.MaxConnectionsPerAddress, "Mesh__Sessions__MaxConnectionsPerAddress");
                break;
            default:
                throw new InvalidOperationException($"Unexpected ConnectionOutcome {entry.Outcome}.");
        }
    }

    private async Task RejectAsync(ConnectionContext context, int limit, string option)
    {
        _metrics.Refuse(option);
        if (_logLimiter.TryAcquire())
        {
            LogRejected($"{context.RemoteEndPoint}", limit, option);
        }

        try
        {
            if (Interlocked.Increment(ref _answered) <= MaxAnswered)
            {
                using var enough = new CancellationTokenSource(AnswerTime, _time);
                await AnswerAsync(context, $"There are {limit} connections already ({option})", enough.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            // The peer did not read the answer in time.
        }
        finally
        {
            Interlocked.Decrement(ref _answered);
            context.Abort();
        }
    }

    private static async Task AnswerAsync(ConnectionContext context, string why, CancellationToken cancellationToken)
    {
        var input = context.Transport.Input;
        var first = await input.ReadAsync(cancellationToken);
        if (first.Buffer.IsEmpty || LineProtocolMiddleware.IsTls(first.Buffer.FirstSpan[0]))
        {
            return;
        }

        if (LineFraming.IsLineProtocol(first.Buffer.FirstSpan[0]))
        {
            MessageWriter.Write(context.Transport.Output, new Rejection(why));
            context.Transport.Output.Write(LineFraming.End);
        }
        else
        {
            var body = $$"""{"title":"Not available now.","status":503,"detail":"{{why}}.","accepted":false}""";
            context.Transport.Output.Write(Encoding.ASCII.GetBytes(
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\nConnection: close\r\n"
                + $"Content-Length: {body.Length}\r\n\r\n{body}"));
        }

        input.AdvanceTo(first.Buffer.End);
        await FinalResponse.FlushAndDrainAsync(context, cancellationToken);
    }

    [LoggerMessage(2301, LogLevel.Warning, "A connection from {RemoteAddress} is refused: there are {Limit} connections already ({Option}).")]
    private partial void LogRejected(string remoteAddress, int limit, string option);
}
