using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Api;

// For the OpenAPI document. TaskBodyReader reads the body.

/// <summary>A task to submit.</summary>
[Description("A task to submit.")]
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record TaskRequest(
    [property: Description("QUERY, UPDATE or a type that a worker handles: a letter followed by up to 63 letters, digits, dots, underscores and hyphens.")] string Type,
    [property: Description("The account of a QUERY or UPDATE: up to 128 characters, none of them control characters; not . or ..")] string? User,
    [property: Description("What an UPDATE adds: zero or more, at most 4 decimals.")] decimal? Amount,
    [property: Description("An idempotency key: a second submission of it with the same fields is the same task, one with others is refused (409). Up to 128 bytes; not . or .. In a path, percent-encode it whole.")] string? Id,
    [property: Description("The input of a task of another type than QUERY and UPDATE: any JSON value.")] JsonElement? Payload,
    [property: Description("0 to 9, 9 first. Default: 4.")] int? Priority,
    [property: Description("The time before which the task is not run (RFC 3339).")] DateTimeOffset? NotBefore,
    [property: Description("The time from the request before which the task is not run, such as 00:00:30. Instead of notBefore.")] TimeSpan? Delay,
    [property: Description("The number of attempts before the task becomes a dead letter, 1 to 1000.")] int? MaxAttempts,
    [property: Description("The time after which one attempt has failed, such as 00:05:00.")] TimeSpan? Timeout,
    [property: Description("The delays between attempts.")] RetryRequest? Retry);

/// <summary>The delays between the attempts at a task.</summary>
[Description("The delays between the attempts at a task.")]
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RetryRequest(
    [property: Description("The delay between the first and the second attempt, such as 00:00:10.")] TimeSpan Delay,
    [property: Description("The factor between one delay and the next, 1 to 100. Default: 2.")] double? Factor,
    [property: Description("The longest delay. Default: 00:10:00, or the delay if that is longer.")] TimeSpan? MaxDelay);

/// <summary>The ids of accepted tasks, in the order of the request.</summary>
internal sealed record AcceptedResponse(IReadOnlyList<string> Ids);

/// <summary>A task and its state.</summary>
internal sealed record TaskResponse(
    string Id, string Type, string? User, decimal? Amount, string State, int Attempts, double? Progress, RawJson? Result, string? Error, string? Worker, string? TraceId)
{
    /// <summary>The time before which the task is not run. Omitted when there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? NotBefore { get; init; }

    public static TaskResponse Of(TaskRecord task) => new(
        task.Id,
        task.Type.Name,
        task.User,
        task.Amount,
        NameOf(task.State),
        task.Attempts,
        task.Progress,
        task.Result,
        task.Error,
        task.Worker?.Value,
        MeshTelemetry.TraceId(task.TraceParent))
    {
        NotBefore = task.NotBefore,
    };

    public static string NameOf(TaskState state) => state switch
    {
        TaskState.Queued => "queued",
        TaskState.Running => "running",
        TaskState.Done => "done",
        TaskState.Dead => "dead",
        TaskState.Cancelled => "cancelled",
        TaskState.Scheduled => "scheduled",
        _ => throw new InvalidOperationException($"Unknown state {state}."),
    };
}
