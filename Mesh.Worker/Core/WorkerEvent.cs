using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>What a worker tells of its life.</summary>
internal abstract record WorkerEvent
{
    private WorkerEvent()
    {
    }

    /// <summary>W3C context of the order that led to it.</summary>
    public string? TraceParent { get; init; }

    public sealed record ServerReached(ServerTarget ServerTarget) : WorkerEvent;

    /// <param name="ServerTarget">The server out of contact.</param>
    /// <param name="Why">What the connection said.</param>
    /// <param name="Failures">In a row; 1 is the loss itself.</param>
    /// <param name="RetryIn">When it is tried again.</param>
    public sealed record ServerUnreachable(ServerTarget ServerTarget, string Why, int Failures, TimeSpan RetryIn) : WorkerEvent;

    public sealed record BorrowerAbandoned(ServerTarget ServerTarget) : WorkerEvent;

    public sealed record RedirectAccepted(MeshEndpoint Borrower) : WorkerEvent;

    /// <summary>RETURN, with the address in it; the way home is the configured one whatever it says.</summary>
    public sealed record ReturnAccepted(MeshEndpoint Address) : WorkerEvent;

    /// <summary>The borrower doesn't want this worker: it rejected it, or tried to send it on.</summary>
    public sealed record RejectedByBorrower(ServerTarget ServerTarget, string Why) : WorkerEvent;

    public sealed record RedirectRefused(MeshEndpoint Target) : WorkerEvent;

    public sealed record ReturnIgnored(MeshEndpoint Address) : WorkerEvent;

    /// <summary>Home answered a request with an error.</summary>
    public sealed record Rejected(string Error) : WorkerEvent;

    public sealed record UnexpectedMessage(string Message) : WorkerEvent;

    /// <summary>Statuses no server acknowledged; their tasks come up again.</summary>
    public sealed record StatusesDropped(int Count) : WorkerEvent;

    /// <summary>Tasks that did not end in time.</summary>
    public sealed record AttemptsAbandoned(int Count) : WorkerEvent;
}
