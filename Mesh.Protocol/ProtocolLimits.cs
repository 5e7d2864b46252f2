namespace Mesh.Protocol;

/// <summary>The bounds that any peer can rely on (docs/protocol.md, "Bad input").</summary>
public static class ProtocolLimits
{
    /// <summary>Longest message, in bytes, without the line's end.</summary>
    public const int MaxMessageBytes = 64 * 1024;

    /// <summary>Longest UUID, in bytes of UTF-8.</summary>
    public const int MaxIdBytes = 128;

    /// <summary>Deepest nesting of objects and arrays; the messages themselves need 2.</summary>
    public const int MaxDepth = 8;

    /// <summary>How many get_tasks of one worker a server holds at a time, and so how many tasks at a time a worker can be configured for.</summary>
    public const int MaxPollsPerWorker = 1024;

    /// <summary>A worker gives up a server that has not answered a get_task on a WebSocket for so long.</summary>
    public static readonly TimeSpan PollResponseTimeout = TimeSpan.FromSeconds(45);

    /// <summary>The longest that a server may hold a get_task: the answer must be there before <see cref="PollResponseTimeout"/>.</summary>
    public static readonly TimeSpan MaxHoldTime = PollResponseTimeout - TimeSpan.FromSeconds(5);
}
