using Mesh.Protocol;

namespace Mesh.Transport;

public enum ReceiveResultKind : byte
{
    Message = 1,
    Error = 2,
    End = 3,
}

/// <summary>The result of one receive: a message, bad input, or the end of the connection.</summary>
public readonly struct Received
{
    private readonly ProtocolError _error;
    private readonly CloseReason _reason;

    private Received(ReceiveResultKind kind, MeshMessage? message, ProtocolError error, CloseReason reason)
    {
        Kind = kind;
        Message = message;
        _error = error;
        _reason = reason;
    }

    public ReceiveResultKind Kind { get; }

    /// <summary>The message. Null unless <see cref="Kind"/> is <see cref="ReceiveResultKind.Message"/>.</summary>
    public MeshMessage? Message { get; }

    /// <summary>The fault of the input. The connection can continue, unless the error is <see cref="ProtocolErrorKind.TooLong"/> on a line connection.</summary>
    public ProtocolError Error => Kind == ReceiveResultKind.Error ? _error : throw new InvalidOperationException($"{Kind} has no error");

    /// <summary>The reason why no more messages are received.</summary>
    public CloseReason EndReason => Kind == ReceiveResultKind.End ? _reason : throw new InvalidOperationException($"{Kind} has no end reason");

    public static Received Of(MeshMessage message) => new(ReceiveResultKind.Message, message, default, default);

    public static Received FromError(ProtocolError error) => new(ReceiveResultKind.Error, null, error, default);

    public static Received End(CloseReason reason) => new(ReceiveResultKind.End, null, default, reason);

    public override string ToString() => Kind switch
    {
        ReceiveResultKind.Message => Message!.ToString(),
        ReceiveResultKind.Error => _error.ToString(),
        ReceiveResultKind.End => $"end: {_reason}",
        _ => "nothing",
    };
}
