using Mesh.Protocol;

namespace Mesh.Transport;

public enum ReceivedKind : byte
{
    Message = 1,
    Error = 2,
    End = 3,
}

/// <summary>What one receive came to: a message, bad input, or the connection's end.</summary>
public readonly struct Received
{
    private readonly ProtocolError _error;
    private readonly CloseReason _reason;

    private Received(ReceivedKind kind, MeshMessage? message, ProtocolError error, CloseReason reason)
    {
        Kind = kind;
        Message = message;
        _error = error;
        _reason = reason;
    }

    public ReceivedKind Kind { get; }

    /// <summary>The message; null unless <see cref="Kind"/> is <see cref="ReceivedKind.Message"/>.</summary>
    public MeshMessage? Message { get; }

    /// <summary>What is wrong with the input. The connection can go on, unless the error is <see cref="ProtocolErrorKind.TooLong"/> on a line connection.</summary>
    public ProtocolError Error => Kind == ReceivedKind.Error ? _error : throw new InvalidOperationException($"{Kind} has no error");

    /// <summary>Why nothing more will come.</summary>
    public CloseReason EndReason => Kind == ReceivedKind.End ? _reason : throw new InvalidOperationException($"{Kind} has no end reason");

    public static Received Of(MeshMessage message) => new(ReceivedKind.Message, message, default, default);

    public static Received Bad(ProtocolError error) => new(ReceivedKind.Error, null, error, default);

    public static Received End(CloseReason reason) => new(ReceivedKind.End, null, default, reason);

    public override string ToString() => Kind switch
    {
        ReceivedKind.Message => Message!.ToString(),
        ReceivedKind.Error => _error.ToString(),
        ReceivedKind.End => $"end: {_reason}",
        _ => "nothing",
    };
}
