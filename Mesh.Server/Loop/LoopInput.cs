using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Server.Loop;

internal enum LoopInputKind : byte
{
    Message = 1,
    SessionClosed,
    PeerReply,
    PeerFailed,
    PeerFraming,
    Submit,
    Read,
    Command,
    Stored,
    StoreFailed,
    StoreRolledBack,
    CheckStore,
    StoreDurability,
    Invalidated,
    InvalidationFailed,
    Wake,
    Stop,
    Finish,
    Adopted,
    AdoptionRefused,
    AdoptionEnded,
    Faulted,
}

/// <summary>One input of the loop. A struct of fields that each kind uses as it needs, so that a message costs no allocation on its way.</summary>
internal readonly record struct LoopInput(LoopInputKind Kind)
{
    public SessionId Session { get; init; }

    public Framing Framing { get; init; }

    public SessionEnd End { get; init; }

    /// <summary>The id of a peer or task.</summary>
    public string? Id { get; init; }

    /// <summary>The message, submission, read, command, batch, stored state or exception.</summary>
    public object? Subject { get; init; }

    /// <summary>What is known about the subject: a reason, the known tasks of a batch, or the state that was loaded anew.</summary>
    public object? Detail { get; init; }

    public decimal? Amount { get; init; }
}
