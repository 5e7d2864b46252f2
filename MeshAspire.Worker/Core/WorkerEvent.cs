using Mesh.Protocol;

namespace MeshAspire.Worker.Core;

/// <summary>An event of a worker for the log.</summary>
internal abstract record WorkerEvent
{
    private WorkerEvent()
    {
    }

    /// <summary>The W3C trace context of the REDIRECT or RETURN that caused the event.</summary>
    public string? TraceParent { get; init; }

    public sealed record ServerReached(ServerTarget ServerTarget) : WorkerEvent;

    /// <param name="ServerTarget">The unreachable server.</param>
    /// <param name="Why">The error of the connection.</param>
    /// <param name="Failures">The number of consecutive failures. 1 is the first one.</param>
    /// <param name="RetryIn">The delay before the next attempt.</param>
    public sealed record ServerUnreachable(ServerTarget ServerTarget, string Why, int Failures, TimeSpan RetryIn) : WorkerEvent;

    public sealed record BorrowerAbandoned(ServerTarget ServerTarget) : WorkerEvent;

    public sealed record RedirectAccepted(MeshEndpoint Borrower) : WorkerEvent;

    /// <summary>A RETURN was accepted. The worker dials the configured address of its home, not the address in the message.</summary>
    public sealed record ReturnAccepted(MeshEndpoint Address) : WorkerEvent;

    /// <summary>The borrower answered with an error or a REDIRECT.</summary>
    public sealed record RejectedByBorrower(ServerTarget ServerTarget, string Why) : WorkerEvent;

    public sealed record RedirectRefused(MeshEndpoint Target) : WorkerEvent;

    public sealed record ReturnIgnored(MeshEndpoint Address) : WorkerEvent;

    /// <summary>The home server answered with an error.</summary>
    public sealed record Rejected(string Error) : WorkerEvent;

    public sealed record UnexpectedMessage(string Message) : WorkerEvent;

    /// <summary>Statuses were dropped without an ACK. The server runs their tasks again when their leases expire.</summary>
    public sealed record StatusesDropped(int Count) : WorkerEvent;

    /// <summary>The worker hands tasks back, or leaves a server that it cannot reach, while their handlers are still running.</summary>
    /// <param name="Count">The number of these attempts.</param>
    /// <param name="FreeSlots">The number of slots that the worker has until they end.</param>
    public sealed record AttemptsAbandoned(int Count, int FreeSlots) : WorkerEvent;

    /// <summary>The handler of an abandoned attempt has ended. Its slot is free.</summary>
    public sealed record AbandonedAttemptEnded : WorkerEvent;

    /// <summary>The server cancelled a running task.</summary>
    public sealed record AttemptCancelled(TaskId Task) : WorkerEvent;

    /// <summary>The server answered a RUNNING with an error.</summary>
    public sealed record RunningRejected(ServerTarget ServerTarget, string Error) : WorkerEvent;
}
