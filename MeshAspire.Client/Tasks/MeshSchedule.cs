namespace MeshAspire.Client;

/// <summary>A schedule to put: a task at each time of a cron expression (docs/protocol.md, "Schedules over HTTP").</summary>
/// <param name="Cron">A cron expression of 5 fields, or of 6 with seconds first, or a macro such as @daily.</param>
/// <param name="Task">The task. Its options have no id, delay or time, since the schedule determines them.</param>
public sealed record MeshScheduleRequest(string Cron, MeshTaskRequest Task)
{
    /// <summary>The IANA name of the time zone, such as Europe/Lisbon. Default: null, which stands for UTC.</summary>
    public string? TimeZone { get; init; }
}

/// <summary>A schedule and its times.</summary>
public sealed record MeshSchedule
{
    /// <summary>The name of the schedule.</summary>
    public required string Name { get; init; }

    /// <summary>The cron expression.</summary>
    public required string Cron { get; init; }

    /// <summary>The name of the time zone.</summary>
    public required string TimeZone { get; init; }

    /// <summary>The task that is accepted at each time.</summary>
    public required MeshTaskRequest Task { get; init; }

    /// <summary>The id of the server that the schedule belongs to.</summary>
    public required string Server { get; init; }

    /// <summary>The next time, or null when there is none.</summary>
    public DateTimeOffset? Next { get; init; }

    /// <summary>The last time for which a task was accepted, or null.</summary>
    public DateTimeOffset? LastFired { get; init; }

    /// <summary>The id of the last task, or null.</summary>
    public string? LastTask { get; init; }
}
