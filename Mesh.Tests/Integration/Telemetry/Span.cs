using Mesh.Tests.Integration.Telemetry.Otlp;

namespace Mesh.Tests.Integration.Telemetry;

/// <summary>A span that a process has exported. Ids are lower-case hexadecimal.</summary>
internal sealed record Span(string Service, string Trace, string Id, string Name)
{
    /// <summary>Empty for a root.</summary>
    public required string Parent { get; init; }

    public required SpanKind Kind { get; init; }

    /// <summary>Start time, nanoseconds since 1970.</summary>
    public required ulong Start { get; init; }

    public required bool Failed { get; init; }

    public required IReadOnlyDictionary<string, string> Attributes { get; init; }

    /// <summary>The ids of the linked traces.</summary>
    public required IReadOnlyList<string> Links { get; init; }
}

/// <summary>All spans received of one trace.</summary>
internal sealed record Trace(string Id, Span[] Spans);

/// <summary>A log record that a process has exported.</summary>
/// <param name="Trace">Empty for a record without a trace.</param>
internal sealed record LogLine(string Service, string Trace, string Text);
