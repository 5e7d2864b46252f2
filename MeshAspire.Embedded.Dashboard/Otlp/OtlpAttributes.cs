using System.Globalization;
using System.Text;
using MeshAspire.Embedded.Dashboard.Telemetry;
using OpenTelemetry.Proto.Common.V1;

namespace MeshAspire.Embedded.Dashboard.Otlp;

/// <summary>Makes texts of attributes, no longer and no more than the limits allow.</summary>
internal sealed class OtlpAttributes(TelemetryLimits limits, TextPool texts)
{
    /// <summary>Lists in lists deeper than this show as an ellipsis.</summary>
    private const int Depth = 4;

    public string Name(string text) => texts.Share(Cut(text));

    public string Cut(string text) => text.Length <= limits.TextLength ? text : string.Concat(text.AsSpan(0, limits.TextLength), "…");

    public Tag[] Read(IList<KeyValue> pairs, Func<KeyValue, bool>? but = null)
    {
        if (pairs.Count == 0)
        {
            return [];
        }

        var result = new List<Tag>(Math.Min(pairs.Count, limits.Items));
        foreach (var pair in pairs)
        {
            if (result.Count < limits.Items && but?.Invoke(pair) is not true)
            {
                result.Add(new(Name(pair.Key), Text(pair.Value)));
            }
        }

        return [.. result];
    }

    /// <summary><c>key=value, key=value</c> by key.</summary>
    public string Dimensions(IList<KeyValue> pairs) => pairs.Count == 0 ? "" : texts.Share(Cut(string.Join(
        ", ", pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal).Take(limits.Items).Select(pair => $"{pair.Key}={Text(pair.Value)}"))));

    public string Text(AnyValue? value) => value?.ValueCase switch
    {
        AnyValue.ValueOneofCase.StringValue => Cut(value.StringValue),
        null or AnyValue.ValueOneofCase.None => "",
        _ => Cut(Append(new StringBuilder(), value, 0).ToString()),
    };

    private StringBuilder Append(StringBuilder text, AnyValue value, int depth)
    {
        if (text.Length > limits.TextLength || depth > Depth)
        {
            return text.Append('…');
        }

        return value.ValueCase switch
        {
            AnyValue.ValueOneofCase.StringValue => text.Append(value.StringValue),
            AnyValue.ValueOneofCase.BoolValue => text.Append(value.BoolValue ? "true" : "false"),
            AnyValue.ValueOneofCase.IntValue => text.Append(CultureInfo.InvariantCulture, $"{value.IntValue}"),
            AnyValue.ValueOneofCase.DoubleValue => text.Append(CultureInfo.InvariantCulture, $"{value.DoubleValue}"),
            AnyValue.ValueOneofCase.BytesValue => text.Append(Convert.ToHexStringLower(value.BytesValue.Span[..Math.Min(value.BytesValue.Length, limits.TextLength)])),
            AnyValue.ValueOneofCase.ArrayValue => List(text, '[', ']', value.ArrayValue.Values, one => Append(text, one, depth + 1)),
            AnyValue.ValueOneofCase.KvlistValue => List(text, '{', '}', value.KvlistValue.Values, one => Append(text.Append(one.Key).Append(": "), one.Value, depth + 1)),
            AnyValue.ValueOneofCase.None => text,
            _ => throw new InvalidOperationException($"An attribute can't be a {value.ValueCase}."),
        };
    }

    private static StringBuilder List<T>(StringBuilder text, char open, char close, IEnumerable<T> items, Action<T> append)
    {
        text.Append(open);
        var first = true;
        foreach (var item in items)
        {
            if (!first)
            {
                text.Append(", ");
            }

            append(item);
            first = false;
        }

        return text.Append(close);
    }
}
