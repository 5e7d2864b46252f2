using System.ComponentModel;
using System.Text.Json.Serialization;
using Mesh.Protocol;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Api;

// ScheduleRequest is for the OpenAPI document. ScheduleBodyReader reads the body.

/// <summary>A schedule to put.</summary>
[Description("A schedule to put.")]
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ScheduleRequest(
    [property: Description("A cron expression of 5 fields, or of 6 with seconds first, such as */5 * * * *.")] string Cron,
    [property: Description("The IANA name of the time zone, such as Europe/Lisbon. Default: UTC.")] string? TimeZone,
    [property: Description("The task to accept at each time: as in POST /tasks, without id, delay and notBefore.")] ScheduledTask Task);

/// <summary>The task of a schedule.</summary>
[Description("The task of a schedule: as in POST /tasks, without id, delay and notBefore.")]
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ScheduledTask(
    string Type, string? User, decimal? Amount, RawJson? Payload, int? Priority, int? MaxAttempts, TimeSpan? Timeout, RetryRequest? Retry)
{
    public static ScheduledTask Of(TaskRecord task) => new(
        task.Type.Name,
        task.User,
        task.Amount,
        task.Payload,
        task.Priority,
        task.Limits?.MaxAttempts,
        task.Limits?.Timeout,
        task.Limits?.Retry is { } retry ? new RetryRequest(retry.Delay, retry.Factor, retry.MaxDelay) : null);
}

/// <summary>A schedule and its times.</summary>
/// <param name="Server">The server that the schedule belongs to: this one, or one that it has adopted.</param>
/// <param name="Next">The next time, or null when there is none.</param>
/// <param name="LastFired">The last time for which a task was accepted, or null.</param>
/// <param name="LastTask">The id of the last task, or null.</param>
internal sealed record ScheduleResponse(
    string Name, string Cron, string TimeZone, ScheduledTask Task, string Server, DateTimeOffset? Next, DateTimeOffset? LastFired, string? LastTask)
{
    public static ScheduleResponse Of(ScheduleStatus status, string own)
    {
        var schedule = status.Record;
        return new(
            schedule.Name,
            schedule.Times.Cron,
            schedule.Times.TimeZone,
            ScheduledTask.Of(schedule.Task),
            schedule.StoredBy?.Value ?? own,
            status.Next,
            schedule.LastFired,
            schedule.LastTask);
    }
}
