namespace Mesh.Server.Core;

/// <summary>How a session ended: what may be concluded about the messages that were sent on it.</summary>
internal enum SessionEnd : byte
{
    /// <summary>In an orderly way, or in one that tells nothing about them.</summary>
    Closed = 1,

    /// <summary>The peer reset the connection, or a write failed: what the peer had not read by then is lost.</summary>
    Reset,

    /// <summary>This server dropped the connection, since the peer took too little of what was sent, or did not end a message.</summary>
    Dropped,
}
