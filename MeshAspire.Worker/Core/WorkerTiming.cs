using Mesh.Protocol;

namespace MeshAspire.Worker.Core;

/// <summary>The time limits of the core. None is part of the protocol. Each is chosen to fit a limit of the protocol.</summary>
internal sealed record WorkerTiming
{
    /// <summary>The time limit for the answer to a get_task on a WebSocket. A server holds it for less. A line exchange has its own limit.</summary>
    public TimeSpan PollResponseTimeout { get; init; } = ProtocolLimits.PollResponseTimeout;

    /// <summary>A status without an ACK is sent again on the same connection after this time.</summary>
    public TimeSpan StatusResendInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The worker goes home without a RETURN when a borrower cannot be reached for this time.</summary>
    public TimeSpan BorrowerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The first delay before a server is dialled again. Each further delay is twice as long.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest delay before a server is dialled again.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time that running tasks have to end after a REDIRECT or RETURN. After it they are cancelled and handed back.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time after a cancellation for handlers to end and for the ACKs of their statuses. After it the worker leaves.</summary>
    public TimeSpan HandBackTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A NO_TASK that arrives sooner than this was not held by the server.</summary>
    public TimeSpan MinHoldTime { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The first pause before the next get_task to a server that does not hold them. Each further pause is twice as long.</summary>
    public TimeSpan MinPollDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause before the next get_task.</summary>
    public TimeSpan MaxPollDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The number of times that a status is sent. After them it is dropped, and its task's lease ends.</summary>
    public int MaxStatusSends { get; init; } = 10;
}
