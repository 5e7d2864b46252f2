namespace MeshAspire.Embedded.Dashboard.Telemetry;

/// <summary>A process that sends telemetry.</summary>
/// <param name="Service">The <c>service.name</c>.</param>
/// <param name="Instance">The <c>service.instance.id</c>; empty where there is none.</param>
/// <param name="Name">The replica's name, where the instance tells it; else the service's.</param>
/// <param name="Colour">An index into the palette, the same for all processes of a service.</param>
/// <param name="Attributes">Of the resource.</param>
public sealed record Source(string Service, string Instance, string Name, int Colour, IReadOnlyList<Tag> Attributes);

public readonly record struct Tag(string Key, string Value);

public enum SpanKind
{
    Unspecified = 0,
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

public enum SpanOutcome
{
    Unset = 0,
    Ok = 1,
    Error = 2,
}

/// <summary>One piece of work of one process. Times are nanoseconds since 1970 UTC.</summary>
public sealed record Span
{
    public required TraceId TraceId { get; init; }

    public required SpanId Id { get; init; }

    public required SpanId Parent { get; init; }

    public required string Name { get; init; }

    public required SpanKind Kind { get; init; }

    public required Source Source { get; init; }

    public required string Scope { get; init; }

    public required long Start { get; init; }

    public required long End { get; init; }

    public required SpanOutcome Outcome { get; init; }

    /// <summary>Why it failed; empty where nothing was said.</summary>
    public required string Reason { get; init; }

    /// <summary>As it came (OTLP's message Span). The lists below are read from it when somebody looks; of the links, where they lead is known before.</summary>
    public ReadOnlyMemory<byte> Wire { get; init; }

    public IReadOnlyList<Tag> Attributes { get; init; } = [];

    public IReadOnlyList<SpanEvent> Events { get; init; } = [];

    public IReadOnlyList<SpanLink> Links { get; init; } = [];

    public long Duration => End - Start;

    public bool Failed => Outcome is SpanOutcome.Error;
}

public sealed record SpanEvent(long Time, string Name, IReadOnlyList<Tag> Attributes);

public sealed record SpanLink(TraceId TraceId, SpanId SpanId, IReadOnlyList<Tag> Attributes);

public enum LogSeverity
{
    Trace = 0,
    Debug = 1,
    Information = 2,
    Warning = 3,
    Error = 4,
    Critical = 5,
}

public sealed record LogEntry
{
    /// <summary>Nanoseconds since 1970 UTC.</summary>
    public required long Time { get; init; }

    public required LogSeverity Severity { get; init; }

    public required string Message { get; init; }

    /// <summary>The logger's name.</summary>
    public required string Category { get; init; }

    public required Source Source { get; init; }

    public required TraceId TraceId { get; init; }

    public required SpanId SpanId { get; init; }

    public required IReadOnlyList<Tag> Attributes { get; init; }

    /// <summary>Counts the records received: names this one.</summary>
    public long Number { get; set; }
}
