namespace Mesh.Protocol;

/// <summary>The limits that all peers can rely on (docs/protocol.md, "Bad input").</summary>
public static class ProtocolLimits
{
    /// <summary>The maximum length of a message, in bytes, without the end of the line.</summary>
    public const int MaxMessageBytes = 64 * 1024;

    /// <summary>The maximum length of a UUID, in bytes of UTF-8.</summary>
    public const int MaxIdBytes = 128;

    /// <summary>The maximum nesting depth of objects and arrays in a message, outside of PAYLOAD, RESULT and THEN. The messages themselves need 2.</summary>
    public const int MaxDepth = 8;

    /// <summary>The maximum nesting depth of objects and arrays within the value of PAYLOAD, RESULT or THEN.</summary>
    public const int MaxValueDepth = 64;

    /// <summary>
    /// The maximum length of a PAYLOAD that fits into every new_task, in bytes. The same holds for RESULT and THEN together in a task_status without ERROR. The other fields need the rest of
    /// <see cref="MaxMessageBytes"/>.
    /// </summary>
    public const int MaxValueBytes = MaxMessageBytes - (2 * 1024);

    /// <summary>The maximum number of task types in one TASKS.</summary>
    public const int MaxTaskTypes = 64;

    /// <summary>The maximum number of pending polls (get_task) of one worker. A worker can be configured for at most this number of tasks at a time.</summary>
    public const int MaxPollsPerWorker = 1024;

    /// <summary>The maximum of RETRY_AFTER.</summary>
    public static readonly TimeSpan MaxRetryAfter = TimeSpan.FromDays(365);

    /// <summary>A worker gives up a server that has not answered a get_task on a WebSocket within this time.</summary>
    public static readonly TimeSpan PollResponseTimeout = TimeSpan.FromSeconds(45);

    /// <summary>The maximum time that a server may hold a get_task. The answer must arrive before <see cref="PollResponseTimeout"/>.</summary>
    public static readonly TimeSpan MaxHoldTime = PollResponseTimeout - TimeSpan.FromSeconds(5);
}
