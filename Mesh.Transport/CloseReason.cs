namespace Mesh.Transport;

/// <summary>Why a connection ended: the first cause counts.</summary>
public enum CloseReason : byte
{
    /// <summary>This side needs it no longer.</summary>
    Done = 1,

    /// <summary>The peer closed it.</summary>
    PeerClosed = 2,

    /// <summary>It broke: reset, or nothing came back for the keep-alive time.</summary>
    Lost = 3,

    /// <summary>The peer sent what is no message.</summary>
    ProtocolError = 4,

    /// <summary>The peer takes less than it is sent: <see cref="MeshConnectionOptions.OutboxCapacity"/> is used up.</summary>
    OutboxFull = 5,

    /// <summary>The peer sent nothing for too long.</summary>
    Silent = 6,

    /// <summary>A newer connection of the same peer took its place.</summary>
    Replaced = 7,

    /// <summary>This process stops.</summary>
    Stopping = 8,

    /// <summary>It never came about: the peer could not be reached.</summary>
    Unreachable = 9,

    /// <summary>The peer did not take all that was left to send in <see cref="MeshConnectionOptions.CloseTimeout"/>, or did not answer in time.</summary>
    Timeout = 10,

    /// <summary>The peer began a message and did not end it in time.</summary>
    TooSlow = 11,

    /// <summary>The peer reset it, or a write failed: what the peer had not read by then is lost.</summary>
    Reset = 12,

    /// <summary>The token that the peer came with is accepted no more.</summary>
    Revoked = 13,
}
