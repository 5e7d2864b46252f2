using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>The side of a loan that this server is on. The values are stored; 0 is invalid.</summary>
internal enum LoanRole : byte
{
    Owner = 1,
    Borrower = 2,
}

/// <summary>The state of a loan. The owner and the borrower have states of their own. The values are stored; 0 is invalid.</summary>
internal enum LoanState : byte
{
    /// <summary>Owner: AVAILABLE names the worker. Its next get_task is answered with REDIRECT.</summary>
    Offered = 1,

    /// <summary>Owner: REDIRECT was sent to the worker.</summary>
    Lent = 2,

    /// <summary>Owner: the borrower has released the worker, and the worker is expected home.</summary>
    Released = 3,

    /// <summary>Borrower: AVAILABLE names the worker, and the worker has not arrived.</summary>
    Expected = 11,

    /// <summary>Borrower: the worker has arrived.</summary>
    Arrived = 12,

    /// <summary>Borrower: COMMAND_RELEASE is being sent, and RELEASE_ACK is awaited.</summary>
    Releasing = 13,

    /// <summary>Borrower: RELEASE_ACK was received. The worker's next get_task is answered with RETURN.</summary>
    Returning = 14,

    /// <summary>Borrower: RETURN was sent to the worker, and RELEASE_COMPLETED is awaited.</summary>
    Returned = 15,
}

/// <summary>The stored record of one worker's loan. Each side of the loan stores its own.</summary>
/// <param name="Peer">The server on the other side of the loan.</param>
/// <param name="Since">The time at which the loan entered <paramref name="State"/> on this side.</param>
/// <param name="Started">The time at which this side created the record.</param>
internal sealed record LoanRecord(
    WorkerId Worker, LoanRole Role, ServerId Peer, LoanState State, DateTimeOffset Since, DateTimeOffset Started)
{
    /// <summary>Owner: the borrower's address, which REDIRECT names.</summary>
    public MeshEndpoint? Borrower { get; init; }

    /// <summary>The W3C trace context of the loan.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The W3C trace context of the worker's return.</summary>
    public string? ReturnTraceParent { get; init; }
}
