namespace Mesh.Protocol;

/// <summary>The limits that all peers can rely on (docs/protocol.md, "Bad input").</summary>
public static class ProtocolLimits
{
    /// <summary>The maximum length of a message, in bytes, without the end of the line.</summary>
    public const int MaxMessageBytes = 64 * 1024;

    /// <summary>The maximum length of a UUID, in bytes of UTF-8.</summary>
    public const int MaxIdBytes = 128;

    /// <summary>The maximum nesting depth of objects and arrays. The messages themselves need 2.</summary>
    public const int MaxDepth = 8;

    /// <summary>The maximum number of pending polls (get_task) of one worker. A worker can be configured for at most this number of tasks at a time.</summary>
    public const int MaxPollsPerWorker = 1024;

    /// <summary>A worker gives up a server that has not answered a get_task on a WebSocket within this time.</summary>
    public static readonly TimeSpan PollResponseTimeout = TimeSpan.FromSeconds(45);

    /// <summary>The maximum time that a server may hold a get_task. The answer must arrive before <see cref="PollResponseTimeout"/>.</summary>
    public static readonly TimeSpan MaxHoldTime = PollResponseTimeout - TimeSpan.FromSeconds(5);
}
