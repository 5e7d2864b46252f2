using System.Collections.Concurrent;
using System.Diagnostics;
using Mesh.Protocol;

namespace Mesh.Common;

/// <summary>
/// An operation on a task. Each one is a span in the trace of the task. Its name is the operation and the task type, such as "dispatch QUERY". The names are created once,
/// because each task has about five spans.
/// </summary>
public sealed class TaskOperation
{
    public static readonly TaskOperation Submit = new("submit", "send", ActivityKind.Producer);
    public static readonly TaskOperation Queue = new("queue", null, ActivityKind.Internal);
    public static readonly TaskOperation Dispatch = new("dispatch", "receive", ActivityKind.Producer);
    public static readonly TaskOperation Process = new("process", "process", ActivityKind.Consumer);
    public static readonly TaskOperation Settle = new("settle", "settle", ActivityKind.Internal);

    /// <summary>The maximum number of names that are kept.</summary>
    private const int MaxNames = 1024;

    private readonly string _name;
    private readonly string? _type;
    private readonly ActivityKind _kind;

    /// <summary>The names of the spans by task type.</summary>
    private readonly ConcurrentDictionary<TaskType, string> _names = new();

    /// <param name="name">The name of the operation.</param>
    /// <param name="type">The operation type of the conventions for messaging; null for an operation that they do not define.</param>
    /// <param name="kind">The kind of the span.</param>
    private TaskOperation(string name, string? type, ActivityKind kind)
    {
        (_name, _type, _kind) = (name, type, kind);
    }

    /// <summary>Starts a span. Returns null without a listener. A span that is not recorded gets no tags.</summary>
    public Activity? Start(TaskType type, string? id, ActivityContext parent, DateTimeOffset start = default, ActivityLink? link = null)
    {
        var name = SpanName(type);
        var activity = MeshTelemetry.Source.StartActivity(name, _kind, parent, tags: null, link is { } one ? [one] : null, start);
        if (activity is { IsAllDataRequested: true })
        {
            // AddTag is used, because SetTag would search the existing tags.
            if (id is not null)
            {
                activity.AddTag(MeshTelemetry.Tags.MessageId, id);
            }

            if (_type is not null)
            {
                activity.AddTag(MeshTelemetry.Tags.System, MeshTelemetry.Tags.SystemValue);
                activity.AddTag(MeshTelemetry.Tags.Destination, type.Name);
                activity.AddTag(MeshTelemetry.Tags.OperationName, _name);
                activity.AddTag(MeshTelemetry.Tags.OperationType, _type);
                activity.AddTag(MeshTelemetry.Tags.Operation, _name);
            }
        }

        return activity;
    }

    private string SpanName(TaskType type)
    {
        if (_names.TryGetValue(type, out var name))
        {
            return name;
        }

        name = $"{_name} {type.Name}";
        return _names.Count < MaxNames ? _names.GetOrAdd(type, name) : name;
    }
}
