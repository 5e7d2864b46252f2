using System.ComponentModel;
using System.Text.Json.Serialization;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using MeshAspire.ServiceDefaults;

namespace Mesh.Server.Api;

// For the OpenAPI document. TaskBodyReader reads the body.

/// <summary>A task to submit.</summary>
[Description("A task to submit.")]
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record TaskRequest(
    [property: Description("QUERY or UPDATE.")] string Type,
    [property: Description("The account: up to 128 characters, none of them control characters; not . or ..")] string User,
    [property: Description("What an UPDATE adds: zero or more, at most 4 decimals.")] decimal? Amount,
    [property: Description("An idempotency key: a second submission of it with the same type, user and amount is the same task, one with others is refused (409). Up to 128 bytes; not . or .. In a path, percent-encode it whole.")] string? Id);

/// <summary>The ids of accepted tasks, in the order of the request.</summary>
internal sealed record AcceptedResponse(IReadOnlyList<string> Ids);

/// <summary>A task and its state.</summary>
internal sealed record TaskResponse(
    string Id, string Type, string User, decimal? Amount, string State, int Attempts, decimal? Result, string? Error, string? Worker, string? TraceId)
{
    public static TaskResponse Of(TaskRecord task) => new(
        task.Id,
        NameOf(task.Type),
        task.User,
        task.Amount,
        NameOf(task.State),
        task.Attempts,
        task.Result,
        task.Error,
        task.Worker?.Value,
        MeshTelemetry.TraceId(task.TraceParent));

    public static string NameOf(TaskType type) => type switch
    {
        TaskType.Query => "QUERY",
        TaskType.Update => "UPDATE",
        _ => throw new InvalidOperationException($"Unknown type {type}."),
    };

    public static string NameOf(TaskState state) => state switch
    {
        TaskState.Queued => "queued",
        TaskState.Running => "running",
        TaskState.Done => "done",
        TaskState.Dead => "dead",
        _ => throw new InvalidOperationException($"Unknown state {state}."),
    };
}
