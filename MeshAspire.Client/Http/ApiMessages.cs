using System.Text.Json;
using System.Text.Json.Serialization;

namespace MeshAspire.Client.Http;

/// <summary>The members of a problem (RFC 9457) that the client uses (docs/protocol.md, "Tasks over HTTP").</summary>
/// <param name="Accepted">False when it is certain that nothing of the request was accepted.</param>
/// <param name="Count">The number of dead letters that a request changed before it ended early.</param>
internal sealed record Problem(string? Title, string? Detail, string? Field, string[]? Fields, bool? Accepted, int? Count);

/// <summary>The number of dead letters that a request changed.</summary>
internal sealed record CountAnswer(int Count);

internal sealed record ScheduleAnswer(
    string Name, string Cron, string TimeZone, ScheduledTaskAnswer Task, string Server, DateTimeOffset? Next, DateTimeOffset? LastFired, string? LastTask)
{
    public MeshSchedule ToSchedule() => new()
    {
        Name = Name,
        Cron = Cron,
        TimeZone = TimeZone,
        Task = Task.ToRequest(),
        Server = Server,
        Next = Next,
        LastFired = LastFired,
        LastTask = LastTask,
    };
}

internal sealed record ScheduledTaskAnswer(
    string Type, string? User, decimal? Amount, JsonElement? Payload, int? Priority, int? MaxAttempts, TimeSpan? Timeout, RetryAnswer? Retry)
{
    public MeshTaskRequest ToRequest() => new(Type)
    {
        User = User,
        Amount = Amount,
        Payload = Payload,
        Options = new()
        {
            Priority = Priority,
            MaxAttempts = MaxAttempts,
            Timeout = Timeout,
            Retry = Retry is null ? null : new(Retry.Delay) { Factor = Retry.Factor, MaxDelay = Retry.MaxDelay },
        },
    };
}

internal sealed record RetryAnswer(TimeSpan Delay, double? Factor, TimeSpan? MaxDelay);

/// <summary>The JSON serialization of the server's answers. A result has up to 64 levels, and lies in a task and in an array.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, MaxDepth = 72)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(CountAnswer))]
[JsonSerializable(typeof(MeshTask))]
[JsonSerializable(typeof(MeshTask[]))]
[JsonSerializable(typeof(ScheduleAnswer))]
[JsonSerializable(typeof(ScheduleAnswer[]))]
internal sealed partial class ApiJson : JsonSerializerContext;
