namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>What is kept at most. Past a limit the oldest goes first; a limit on one item cuts that item.</summary>
internal sealed record TelemetryLimits
{
    public int Traces { get; init; } = 10_000;

    public int Spans { get; init; } = 50_000;

    /// <summary>Of one trace; what comes later isn't kept.</summary>
    public int SpansPerTrace { get; init; } = 5_000;

    /// <summary>Estimated bytes of all spans.</summary>
    public long SpanBytes { get; init; } = 128L << 20;

    public int Logs { get; init; } = 20_000;

    /// <summary>Estimated bytes of all log records.</summary>
    public long LogBytes { get; init; } = 64L << 20;

    /// <summary>Senders known by name and instance.</summary>
    public int Sources { get; init; } = 256;

    /// <summary>Lines of each instrument by dimensions, over all instruments.</summary>
    public int Series { get; init; } = 2_000;

    /// <summary>Of one instrument; further combinations of its dimensions aren't kept.</summary>
    public int SeriesPerInstrument { get; init; } = 100;

    /// <summary>Ten minutes at one a second.</summary>
    public int PointsPerSeries { get; init; } = 600;

    /// <summary>Attributes of one span, event, link, record or resource; events of one span; links of one span.</summary>
    public int Items { get; init; } = 64;

    /// <summary>Characters of one text.</summary>
    public int TextLength { get; init; } = 4_096;

    /// <summary>Lines of each resource's console.</summary>
    public int ConsoleLines { get; init; } = 5_000;

    /// <summary>Characters of all consoles; past it the longest console loses lines.</summary>
    public long ConsoleCharacters { get; init; } = 16L << 20;
}
