namespace Mesh.Protocol;

/// <summary>The kind of fault in bad input (docs/protocol.md, "Bad input").</summary>
public enum ProtocolErrorKind : byte
{
    /// <summary>The bytes are not JSON, or not UTF-8.</summary>
    NotJson = 1,

    /// <summary>The JSON value is not an object.</summary>
    NotAnObject = 2,

    /// <summary>The WebSocket message is binary and not text.</summary>
    NotText = 3,

    /// <summary>The message is longer than <see cref="ProtocolLimits.MaxMessageBytes"/>.</summary>
    TooLong = 4,

    /// <summary>The message is nested deeper than <see cref="ProtocolLimits.MaxDepth"/>, or a value in it deeper than <see cref="ProtocolLimits.MaxValueDepth"/>.</summary>
    TooDeep = 5,

    /// <summary>The object is not one of the known messages.</summary>
    UnknownShape = 6,

    /// <summary>A required field is absent or null.</summary>
    MissingField = 7,

    /// <summary>A field has the wrong JSON type.</summary>
    WrongType = 8,

    /// <summary>A field has the right type and an invalid value.</summary>
    BadValue = 9,

    /// <summary>A known field is given twice.</summary>
    DuplicateField = 10,
}

/// <summary>The reason why bytes are not a valid message. <see cref="ToString"/> returns the text of ERROR.</summary>
/// <param name="Kind">The kind of fault.</param>
/// <param name="Field">The faulty field, a part of it after a dot ("SERVER_REDIRECT.port"), or "message" for the whole message. Never contains input of the peer.</param>
/// <param name="Detail">The rest of the sentence, such as "must be a string". Never contains input of the peer.</param>
public readonly record struct ProtocolError(ProtocolErrorKind Kind, string Field, string Detail)
{
    /// <summary>The <see cref="Field"/> of an error that concerns no single field.</summary>
    public const string WholeMessage = "message";

    /// <summary>True for an object that is not a message of this protocol, as nodes of other generations send. Later messages can still be read.</summary>
    public bool IsUnknownMessage => Kind == ProtocolErrorKind.UnknownShape || (Kind == ProtocolErrorKind.BadValue && Field is "WORKER" or "STATUS" or "TASK" or "RESPONSE");

    /// <summary>The error of a message longer than <see cref="ProtocolLimits.MaxMessageBytes"/>.</summary>
    public static ProtocolError TooLong { get; } = new(ProtocolErrorKind.TooLong, WholeMessage, "is longer than 64 KiB");

    /// <summary>Returns the error of a message longer than a reader's limit in bytes.</summary>
    public static ProtocolError LongerThan(int bytes) =>
        bytes == ProtocolLimits.MaxMessageBytes ? TooLong : new(ProtocolErrorKind.TooLong, WholeMessage, $"is longer than {bytes} bytes");

    /// <summary>The error of a binary WebSocket message.</summary>
    public static ProtocolError NotText { get; } = new(ProtocolErrorKind.NotText, WholeMessage, "must be text");

    public override string ToString() => $"{Field} {Detail}";
}
