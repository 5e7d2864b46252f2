namespace Mesh.Server.Core.Schedules;

/// <summary>A request to put or to delete a schedule.</summary>
/// <param name="record">The schedule to put, or null to delete the one with the name.</param>
internal sealed class ScheduleChange(string name, ScheduleRecord? record)
{
    public string Name { get; } = name;

    public ScheduleRecord? Record { get; } = record;

    /// <summary>True when the change replaces a schedule. Set by the core.</summary>
    public bool IsReplaced { get; set; }

    /// <summary>The schedule after the change. Set by the core, and null for a deletion.</summary>
    public ScheduleStatus? Stored { get; set; }

    /// <summary>The deleted schedule. Set by the core.</summary>
    public ScheduleRecord? Deleted { get; set; }
}

/// <summary>A schedule and its next time, or null when there is none.</summary>
internal sealed record ScheduleStatus(ScheduleRecord Record, DateTimeOffset? Next);
