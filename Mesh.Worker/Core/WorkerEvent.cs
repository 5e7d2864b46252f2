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

    public sealed record Reached(Place Place) : WorkerEvent;

    /// <param name="Place">The server out of contact.</param>
    /// <param name="Why">What the connection said.</param>
    /// <param name="Failures">In a row; 1 is the loss itself.</param>
    /// <param name="RetryIn">When it is tried again.</param>
    public sealed record OutOfContact(Place Place, string Why, int Failures, TimeSpan RetryIn) : WorkerEvent;

    public sealed record GaveUpBorrower(Place Place) : WorkerEvent;

    public sealed record Lent(MeshEndpoint Borrower) : WorkerEvent;

    /// <summary>RETURN, with the address in it; the way home is the configured one whatever it says.</summary>
    public sealed record CalledHome(MeshEndpoint Address) : WorkerEvent;

    /// <summary>The borrower doesn't want this worker: it rejected it, or tried to send it on.</summary>
    public sealed record TurnedAway(Place Place, string Why) : WorkerEvent;

    public sealed record RefusedRedirect(MeshEndpoint Target) : WorkerEvent;

    public sealed record IgnoredReturn(MeshEndpoint Address) : WorkerEvent;

    /// <summary>Home answered a request with an error.</summary>
    public sealed record Rejected(string Error) : WorkerEvent;

    public sealed record Unexpected(string Message) : WorkerEvent;

    /// <summary>Statuses no server acknowledged; their tasks come up again.</summary>
    public sealed record GaveUpStatuses(int Count) : WorkerEvent;

    /// <summary>Tasks that did not end in time.</summary>
    public sealed record Abandoned(int Count) : WorkerEvent;
}
