using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>
/// Exchanges messages with a line peer as the first implementations do: over a new connection for each message (docs/protocol.md, "Transport").
/// </summary>
public sealed class LineExchange(MeshDialer dialer, TimeProvider time)
{
    /// <summary>The time that the first implementations wait for a reply.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Sends one message and waits for one reply. Without a reply the result is an end: <see cref="CloseReason.Unreachable"/>, <see cref="CloseReason.Timeout"/>,
    /// <see cref="CloseReason.PeerClosed"/> or <see cref="CloseReason.Lost"/>.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<Received> RequestAsync(MeshEndpoint endpoint, MeshMessage message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new TimeoutScope(timeout, time, cancellationToken);
        try
        {
            await using var connection = await dialer.DialAsync(endpoint, Framing.Line, limit.Token);
            connection.TrySend(message);
            return await connection.ReceiveAsync(limit.Token);
        }
        catch (MeshDialException exception)
        {
            return Received.End(exception.Failure == MeshDialFailure.Timeout ? CloseReason.Timeout : CloseReason.Unreachable);
        }
        catch (OperationCanceledException exception) when (limit.IsTimeout(exception))
        {
            return Received.End(CloseReason.Timeout);
        }
    }

    /// <summary>Sends one message that has no reply. Returns whether the TCP stack of the peer accepted it. Whether the peer read it is not known.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<bool> SendOneWayAsync(MeshEndpoint endpoint, MeshMessage message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new TimeoutScope(timeout, time, cancellationToken);
        try
        {
            var connection = await dialer.DialAsync(endpoint, Framing.Line, limit.Token);
            connection.TrySend(message);
            await connection.CloseAsync(CloseReason.Done);
            return await connection.Closed == CloseReason.Done;
        }
        catch (MeshDialException)
        {
            return false;
        }
        catch (OperationCanceledException exception) when (limit.IsTimeout(exception))
        {
            return false;
        }
    }
}
