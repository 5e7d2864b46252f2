namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>Bytes that a record takes, near enough to bound memory by: names are shared, so values count.</summary>
internal static class Size
{
    public static int Of(Span span)
    {
        var size = 224 + Of(span.Attributes) + (2 * span.Reason.Length);
        foreach (var one in span.Events)
        {
            size += 64 + Of(one.Attributes);
        }

        foreach (var one in span.Links)
        {
            // Its target remembers it too.
            size += 256 + Of(one.Attributes);
        }

        return size;
    }

    public static int Of(LogEntry entry) => 128 + (2 * entry.Message.Length) + Of(entry.Attributes);

    private static int Of(IReadOnlyList<Tag> attributes)
    {
        var size = 24;
        foreach (var attribute in attributes)
        {
            size += 48 + (2 * attribute.Value.Length);
        }

        return size;
    }
}
