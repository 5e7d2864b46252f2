namespace Mesh.Protocol;

/// <summary>The bounds that any peer can rely on (docs/protocol.md, "Bad input").</summary>
public static class ProtocolLimits
{
    /// <summary>Longest message, in bytes, without the line's end.</summary>
    public const int MaxMessageBytes = 64 * 1024;

    /// <summary>Longest UUID, in bytes of UTF-8.</summary>
    public const int MaxIdBytes = 128;

    /// <summary>Deepest nesting of objects and arrays; the messages themselves need 2.</summary>
    public const int MaxDepth = 8;
}
