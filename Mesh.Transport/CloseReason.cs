namespace Mesh.Transport;

/// <summary>The first reason that ended a connection.</summary>
public enum CloseReason : byte
{
    /// <summary>This side does not need the connection any more.</summary>
    Done = 1,

    /// <summary>The peer closed the connection.</summary>
    PeerClosed = 2,

    /// <summary>The connection was lost, or nothing was received within the keep-alive time.</summary>
    Lost = 3,

    /// <summary>The peer sent an invalid message.</summary>
    ProtocolError = 4,

    /// <summary>The peer reads too slowly, and <see cref="MeshConnectionOptions.OutboxCapacity"/> is used up.</summary>
    OutboxFull = 5,

    /// <summary>The peer sent nothing for too long.</summary>
    Silent = 6,

    /// <summary>A newer connection of the same peer replaced this one.</summary>
    Replaced = 7,

    /// <summary>This process is stopping.</summary>
    Stopping = 8,

    /// <summary>The connection was not established, because the peer could not be reached.</summary>
    Unreachable = 9,

    /// <summary>The peer did not read the remaining messages within <see cref="MeshConnectionOptions.CloseTimeout"/>, or did not reply in time.</summary>
    Timeout = 10,

    /// <summary>The peer did not complete a message in time.</summary>
    TooSlow = 11,

    /// <summary>The peer reset the connection, or a write failed. Messages that the peer had not read are lost.</summary>
    Reset = 12,

    /// <summary>The token of the peer is not accepted any more.</summary>
    Revoked = 13,
}
