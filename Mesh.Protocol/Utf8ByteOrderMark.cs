namespace Mesh.Protocol;

/// <summary>The UTF-8 byte order mark that some writers put before JSON. Readers accept it (docs/protocol.md, "JSON").</summary>
public static class Utf8ByteOrderMark
{
    /// <summary>The first byte of the mark. No HTTP request begins with it.</summary>
    public const byte FirstByte = 0xEF;

    private static ReadOnlySpan<byte> Mark => [FirstByte, 0xBB, 0xBF];

    /// <summary>Returns the JSON without a byte order mark at its start.</summary>
    public static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> json) => json.StartsWith(Mark) ? json[Mark.Length..] : json;
}
