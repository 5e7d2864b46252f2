using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Links;
using Mesh.Transport;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Discovery;

/// <summary>Finds out which server has an address.</summary>
internal interface IServerIdProbe
{
    /// <summary>Returns the id of the server at an address, or null when no server answers in time.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<ServerId?> AskAsync(MeshEndpoint endpoint, CancellationToken cancellationToken);
}

/// <summary>Sends a heartbeat to the address. The SERVER_UUID of the reply is the id (docs/protocol.md, "Server and server").</summary>
internal sealed class ServerIdProbe(IPeerTransport transport, IOptions<MeshOptions> options, TimeProvider time) : IServerIdProbe
{
    public async Task<ServerId?> AskAsync(MeshEndpoint endpoint, CancellationToken cancellationToken)
    {
        var peer = new PeerSettings(new ServerId(endpoint.ToString()), endpoint);
        var heartbeat = new Heartbeat(new ServerId(options.Value.ServerId!));
        var limit = options.Value.Timing.ReplyTimeout;
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await AskByWebSocketAsync(peer, heartbeat, either.Token);
        }
        catch (MeshDialException exception) when (exception.Failure == MeshDialFailure.NotWebSocket)
        {
            var received = await transport.ExchangeLineAsync(peer, heartbeat, limit, cancellationToken);
            return (received.Message as HeartbeatResponse)?.Server;
        }
        catch (MeshDialException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<ServerId?> AskByWebSocketAsync(PeerSettings peer, Heartbeat heartbeat, CancellationToken cancellationToken)
    {
        await using var connection = await transport.ConnectAsync(peer, cancellationToken);
        if (!connection.TrySend(heartbeat))
        {
            return null;
        }

        while (await connection.ReceiveAsync(cancellationToken) is { Kind: not ReceiveResultKind.End } received)
        {
            if (received.Message is HeartbeatResponse response)
            {
                return response.Server;
            }
        }

        return null;
    }
}
