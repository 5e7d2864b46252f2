using System.Buffers.Binary;
using System.Globalization;

namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>Sixteen bytes, all zero where there is none.</summary>
public readonly record struct TraceId(ulong High, ulong Low)
{
    public bool IsNone => High == 0 && Low == 0;

    public static TraceId Read(ReadOnlySpan<byte> bytes) => bytes.Length == 16
        ? new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]))
        : default;

    public static bool TryParse(string? text, out TraceId id)
    {
        var valid = UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && text!.Length == 32;
        id = new((ulong)(value >> 64), (ulong)value);
        return valid && !id.IsNone;
    }

    public string Brief => ToString()[..7];

    public override string ToString() => $"{High:x16}{Low:x16}";
}

/// <summary>Eight bytes, all zero where there is none.</summary>
public readonly record struct SpanId(ulong Value)
{
    public bool IsNone => Value == 0;

    public static SpanId Read(ReadOnlySpan<byte> bytes) => bytes.Length == 8 ? new(BinaryPrimitives.ReadUInt64BigEndian(bytes)) : default;

    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
