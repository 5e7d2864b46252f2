using System.Buffers;
using System.Text;

namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>Looks for a text in a message as it came, where texts are UTF-8: the whole store is searched with each beat of a page that filters.</summary>
internal sealed class WireText
{
    private readonly byte[] _text;
    private readonly SearchValues<byte> _first;

    /// <param name="text">Not empty. The letters A to Z match in either case.</param>
    public WireText(string text)
    {
        _text = Encoding.UTF8.GetBytes(text);
        _first = SearchValues.Create([.. new[] { ToLower(_text[0]), ToUpper(_text[0]) }.Distinct()]);
    }

    public bool IsIn(ReadOnlySpan<byte> wire)
    {
        while (wire.IndexOfAny(_first) is >= 0 and var at && wire.Length - at >= _text.Length)
        {
            if (Ascii.EqualsIgnoreCase(wire.Slice(at, _text.Length), _text) || wire.Slice(at, _text.Length).SequenceEqual(_text))
            {
                return true;
            }

            wire = wire[(at + 1)..];
        }

        return false;
    }

    private static byte ToLower(byte letter) => letter is >= (byte)'A' and <= (byte)'Z' ? (byte)(letter | 0x20) : letter;

    private static byte ToUpper(byte letter) => letter is >= (byte)'a' and <= (byte)'z' ? (byte)(letter & ~0x20) : letter;
}
