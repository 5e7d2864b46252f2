namespace Mesh.Protocol;

/// <summary>What is wrong with bad input (docs/protocol.md, "Bad input").</summary>
public enum ProtocolErrorKind : byte
{
    /// <summary>The bytes are no JSON, or no UTF-8.</summary>
    NotJson = 1,

    /// <summary>JSON, but no object.</summary>
    NotAnObject = 2,

    /// <summary>A WebSocket message of bytes instead of text.</summary>
    NotText = 3,

    /// <summary>More than <see cref="ProtocolLimits.MaxMessageBytes"/>.</summary>
    TooLong = 4,

    /// <summary>Nested deeper than <see cref="ProtocolLimits.MaxDepth"/>.</summary>
    TooDeep = 5,

    /// <summary>An object of no known shape.</summary>
    UnknownShape = 6,

    /// <summary>A field that this shape needs is absent or null.</summary>
    MissingField = 7,

    /// <summary>A field is of another JSON type than its own.</summary>
    WrongType = 8,

    /// <summary>A field has the right type and a value that it must not have.</summary>
    BadValue = 9,

    /// <summary>A known field is there twice.</summary>
    DuplicateField = 10,
}

/// <summary>Why some bytes are no message. <see cref="ToString"/> gives the sentence that goes into ERROR.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Field">The field at fault, a part of it after a dot ("SERVER_REDIRECT.port"), or "message" for the whole. Never input of the peer.</param>
/// <param name="Detail">The rest of the sentence, such as "must be a string". Never input of the peer.</param>
public readonly record struct ProtocolError(ProtocolErrorKind Kind, string Field, string Detail)
{
    /// <summary>The <see cref="Field"/> of an error that concerns no single field.</summary>
    public const string WholeMessage = "message";

    /// <summary>True for a whole object that is no message of this protocol, as nodes of other generations send: what follows it can be read.</summary>
    public bool IsUnknownMessage => Kind == ProtocolErrorKind.UnknownShape || (Kind == ProtocolErrorKind.BadValue && Field is "WORKER" or "STATUS" or "TASK" or "RESPONSE");

    /// <summary>The error of a message longer than <see cref="ProtocolLimits.MaxMessageBytes"/>.</summary>
    public static ProtocolError TooLong { get; } = new(ProtocolErrorKind.TooLong, WholeMessage, "is longer than 64 KiB");

    /// <summary>The error of a message longer than a reader takes that takes less.</summary>
    public static ProtocolError LongerThan(int bytes) =>
        bytes == ProtocolLimits.MaxMessageBytes ? TooLong : new(ProtocolErrorKind.TooLong, WholeMessage, $"is longer than {bytes} bytes");

    /// <summary>The error of a binary WebSocket message.</summary>
    public static ProtocolError NotText { get; } = new(ProtocolErrorKind.NotText, WholeMessage, "must be text");

    public override string ToString() => $"{Field} {Detail}";
}
