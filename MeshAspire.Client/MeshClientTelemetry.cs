using System.Diagnostics;

namespace MeshAspire.Client;

/// <summary>The spans of a client: one for each operation, over all its retries. Their names are an operation and, for one task, its type, such as "submit RESIZE".</summary>
internal static class MeshClientTelemetry
{
    public const string Name = "MeshAspire.Client";

    private const string RetryCount = "mesh.client.retries";
    private const string Fallback = "mesh.client.fallback";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>Starts the span of an operation. Returns null without a listener.</summary>
    public static Activity? Start(string operation, string? type = null, string? id = null)
    {
        var span = Source.StartActivity(type is null ? operation : $"{operation} {type}", ActivityKind.Client);
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag("messaging.system", "mesh").SetTag("messaging.operation.name", operation);
            _ = type is null ? span : span.SetTag("messaging.destination.name", type);
            _ = id is null ? span : span.SetTag("messaging.message.id", id);
        }

        return span;
    }

    /// <summary>Counts a retry of the current operation.</summary>
    public static void AddRetry()
    {
        if (Current is { } span)
        {
            span.SetTag(RetryCount, (int)(span.GetTagItem(RetryCount) ?? 0) + 1);
        }
    }

    /// <summary>Records which server has accepted the tasks of the current operation.</summary>
    public static void SetServer(Uri server, bool isPrimary)
    {
        Current?.SetTag("server.address", server.Host).SetTag("server.port", server.Port);
        if (!isPrimary)
        {
            Current?.SetTag(Fallback, true);
        }
    }

    /// <summary>Marks a span as failed.</summary>
    public static void Fail(Activity? span, Exception exception) => span?.SetStatus(ActivityStatusCode.Error, exception.Message).SetTag("error.type", exception.GetType().FullName);

    /// <summary>The current span when it is one of this source. Without a listener of this source the current span is the caller's.</summary>
    private static Activity? Current => Activity.Current is { } span && span.Source == Source ? span : null;
}
