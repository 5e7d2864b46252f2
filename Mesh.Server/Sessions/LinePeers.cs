using System.Net;
using Mesh.Protocol;
using Mesh.Server.Hosting.Options;
using Mesh.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Sessions;

/// <summary>
/// Tells line peers from HTTP on one port, by the first byte of a connection, and serves the line peers
/// (docs/protocol.md, "Transport"). Lines carry no token: when there is one, they are taken from loopback and listed addresses only.
/// </summary>
internal sealed partial class LinePeers(SessionTable sessions, IOptions<MeshOptions> options, TimeProvider time, ILogger<LinePeers> logger)
{
    private readonly bool _open = options.Value.Token is null;
    private readonly HashSet<IPAddress> _allowed = [.. options.Value.LinePeers.Allowed.Select(IPAddress.Parse)];
    private readonly TimeSpan _idleTimeout = options.Value.Sessions.IdleTimeout;
    private readonly MeshConnectionOptions _connectionOptions = new() { TimeProvider = time };

    /// <summary>A connection middleware of Kestrel: line peers are served here, all else goes on as HTTP.</summary>
    public async Task OnConnectedAsync(ConnectionContext context, ConnectionDelegate http)
    {
        if (await FirstByteAsync(context) is not { } first)
        {
            context.Abort();
            return;
        }

        if (!LineFraming.IsLinePeer(first))
        {
            await http(context);
            return;
        }

        var connection = new LineConnection(context.Transport, $"{context.RemoteEndPoint}", _connectionOptions, context.Abort);
        if (IsAllowed(context.RemoteEndPoint))
        {
            await sessions.ServeAsync(connection);
        }
        else
        {
            LogNotAllowed(connection.RemoteAddress);
            connection.TrySend(new Rejection("Lines carry no token: this address is not among Mesh__LinePeers__Allowed"));
            await connection.CloseAsync(CloseReason.ProtocolError);
        }

        await connection.Closed;
    }

    private bool IsAllowed(EndPoint? remote)
    {
        if (_open || remote is not IPEndPoint { Address: var address })
        {
            return _open;
        }

        return IPAddress.IsLoopback(address) || _allowed.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
    }

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
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            return null;
        }
    }
}
