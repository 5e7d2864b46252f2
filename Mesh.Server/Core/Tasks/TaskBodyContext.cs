using Mesh.Protocol;

namespace Mesh.Server.Core.Tasks;

/// <summary>What the tasks of a body have in common, and the limits of their fields.</summary>
/// <param name="Now">The time of the request, from which delays are counted.</param>
/// <param name="TraceParent">The W3C trace context of the request, or null.</param>
/// <param name="MaxPayloadBytes">The largest payload, in bytes of UTF-8 without white space.</param>
internal readonly record struct TaskBodyContext(DateTimeOffset Now, string? TraceParent, int MaxPayloadBytes)
{
    /// <summary>The task whose THEN has the tasks, or null for a submission.</summary>
    public TaskId? Parent { get; init; }

    /// <summary>The largest value of maxAttempts.</summary>
    public const int MaxAttempts = 1_000;

    /// <summary>The longest delay of a task or of a retry.</summary>
    public static readonly TimeSpan MaxDelay = TimeSpan.FromDays(3_650);

    /// <summary>The longest timeout of an attempt.</summary>
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(31);
}
