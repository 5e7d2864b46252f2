using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>Which side of a loan this server is. Persisted: 0 is invalid.</summary>
internal enum LoanRole : byte
{
    Owner = 1,
    Borrower = 2,
}

/// <summary>The step a loan is at; the owner's and the borrower's steps are apart. Persisted: 0 is invalid.</summary>
internal enum LoanState : byte
{
    /// <summary>Owner: AVAILABLE was answered; REDIRECT waits for the worker's get_task.</summary>
    Offered = 1,

    /// <summary>Owner: REDIRECT was given.</summary>
    Lent = 2,

    /// <summary>Owner: RELEASE_ACK was answered; the worker is on its way home.</summary>
    Released = 3,

    /// <summary>Borrower: AVAILABLE names the worker; it has not arrived.</summary>
    Expected = 11,

    /// <summary>Borrower: the worker is here.</summary>
    Arrived = 12,

    /// <summary>Borrower: COMMAND_RELEASE is being sent, RELEASE_ACK awaited.</summary>
    Releasing = 13,

    /// <summary>Borrower: RELEASE_ACK came; RETURN waits for the worker's get_task.</summary>
    Returning = 14,

    /// <summary>Borrower: RETURN was given; RELEASE_COMPLETED awaited.</summary>
    Returned = 15,
}

/// <summary>One worker's loan as one side stores it. Immutable.</summary>
/// <param name="Peer">The other side.</param>
/// <param name="Since">When this side entered <paramref name="State"/>.</param>
/// <param name="Started">When this side learned of the loan.</param>
internal sealed record LoanRecord(
    WorkerId Worker, LoanRole Role, ServerId Peer, LoanState State, DateTimeOffset Since, DateTimeOffset Started)
{
    /// <summary>Owner: where the worker was sent.</summary>
    public MeshEndpoint? Borrower { get; init; }

    /// <summary>W3C trace context of the loan.</summary>
    public string? TraceParent { get; init; }

    /// <summary>W3C trace context of its return.</summary>
    public string? ReturnTraceParent { get; init; }
}
