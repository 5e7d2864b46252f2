using System.Diagnostics;
using Mesh.Protocol;

namespace Mesh.Telemetry;

/// <summary>
/// What is done to a task; each is a span of its trace, named by the operation and the type: "dispatch QUERY". There are some five of a task, so what they have in common
/// is made once.
/// </summary>
public sealed class TaskOperation
{
    public static readonly TaskOperation Submit = new("submit", "send", ActivityKind.Producer);
    public static readonly TaskOperation Queue = new("queue", null, ActivityKind.Internal);
    public static readonly TaskOperation Dispatch = new("dispatch", "receive", ActivityKind.Producer);
    public static readonly TaskOperation Process = new("process", "process", ActivityKind.Consumer);
    public static readonly TaskOperation Settle = new("settle", "settle", ActivityKind.Internal);

    private readonly string _name;
    private readonly string? _type;
    private readonly ActivityKind _kind;
    private readonly string _query;
    private readonly string _update;

    /// <param name="type">The kind of operation that the conventions for messaging know it as; null for what is none.</param>
    private TaskOperation(string name, string? type, ActivityKind kind)
    {
        (_name, _type, _kind) = (name, type, kind);
        _query = $"{name} {TypeName(TaskType.Query)}";
        _update = $"{name} {TypeName(TaskType.Update)}";
    }

    /// <summary>The destination of a task of this type.</summary>
    public static string TypeName(TaskType type) => type switch
    {
        TaskType.Query => "QUERY",
        TaskType.Update => "UPDATE",
        _ => throw new InvalidOperationException($"Unknown task type {type}."),
    };

    /// <summary>Starts a span; null when nobody listens. One that is not recorded has a context and nothing else.</summary>
    public Activity? Start(TaskType type, string? id, ActivityContext parent, DateTimeOffset start = default, ActivityLink? link = null)
    {
        var name = type == TaskType.Query ? _query : _update;
        var activity = MeshTelemetry.Source.StartActivity(name, _kind, parent, tags: null, link is { } one ? [one] : null, start);
        if (activity is { IsAllDataRequested: true })
        {
            // Added, not set: that would look for each among the others first.
            if (id is not null)
            {
                activity.AddTag(MeshTelemetry.Tags.MessageId, id);
            }

            if (_type is not null)
            {
                activity.AddTag(MeshTelemetry.Tags.System, MeshTelemetry.Tags.SystemValue);
                activity.AddTag(MeshTelemetry.Tags.Destination, TypeName(type));
                activity.AddTag(MeshTelemetry.Tags.OperationName, _name);
                activity.AddTag(MeshTelemetry.Tags.OperationType, _type);
                activity.AddTag(MeshTelemetry.Tags.Operation, _name);
            }
        }

        return activity;
    }
}
