using Mesh.Protocol;

namespace Mesh.Transport;

public enum ReceiveResultKind : byte
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

    private Received(ReceiveResultKind kind, MeshMessage? message, ProtocolError error, CloseReason reason)
    {
        Kind = kind;
        Message = message;
        _error = error;
        _reason = reason;
    }

    public ReceiveResultKind Kind { get; }

    /// <summary>The message; null unless <see cref="Kind"/> is <see cref="ReceiveResultKind.Message"/>.</summary>
    public MeshMessage? Message { get; }

    /// <summary>What is wrong with the input. The connection can go on, unless the error is <see cref="ProtocolErrorKind.TooLong"/> on a line connection.</summary>
    public ProtocolError Error => Kind == ReceiveResultKind.Error ? _error : throw new InvalidOperationException($"{Kind} has no error");

    /// <summary>Why nothing more will come.</summary>
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
