using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Peers;

namespace Mesh.Server.Loop;

internal enum LoopInputKind : byte
{
    Message = 1,
    SessionClosed,
    PeerReply,
    PeerFailed,
    PeerFraming,
    PeersChanged,
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
    Cancel,
}

/// <summary>One input of the loop. It is a struct, so that a message needs no allocation for its input. Each kind uses only some of the fields.</summary>
internal readonly record struct LoopInput(LoopInputKind Kind)
{
    public SessionId Session { get; init; }

    public Framing Framing { get; init; }

    public SessionEnd End { get; init; }

    /// <summary>The link to a peer that an input comes from.</summary>
    public PeerLinkId Link { get; init; }

    /// <summary>The id of a peer or task.</summary>
    public string? Id { get; init; }

    /// <summary>The message, list of peers, submission, read, command, batch, stored state or exception.</summary>
    public object? Subject { get; init; }

    /// <summary>An addition to the subject: a reason, the known tasks of a batch, or the state that was loaded again.</summary>
    public object? Detail { get; init; }

    public decimal? Amount { get; init; }
}
