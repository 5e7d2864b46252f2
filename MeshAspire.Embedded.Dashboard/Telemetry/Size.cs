namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>Bytes that a record takes, near enough to bound memory by: names are shared, so values count.</summary>
internal static class Size
{
    /// <summary>A link's target remembers it too.</summary>
    public static int Of(Span span) => 224 + span.Wire.Length + (2 * span.Reason.Length) + (256 * span.Links.Count);

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
