using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;
using static Mesh.Tests.Core.Schedules.ScheduleSamples;

namespace Mesh.Tests.Core.Schedules;

/// <summary>Base of the tests of schedules in one core. The time starts at 2026-01-01T00:00:00Z.</summary>
public abstract class ScheduleTestBase
{
    private protected static TimeSpan Minute { get; } = TimeSpan.FromMinutes(1);

    private protected CoreHarness Harness { get; set; } = new();

    private protected static Submission Change(ScheduleRecord schedule) => new([]) { Schedule = new ScheduleChange(schedule.Name, schedule) };

    private protected ScheduleChange Put(string name, string cron)
    {
        var submission = Change(Schedule(name, cron));
        Harness.Submit(submission);
        return submission.Schedule!;
    }

    private protected void Delete(string name) => Harness.Submit(new Submission([]) { Schedule = new ScheduleChange(name, record: null) });

    private protected IEnumerable<ScheduleFired> Fired(string? name = null) => Harness.Events.OfType<ScheduleFired>().Where(fired => name is null || fired.Schedule == name);
}

/// <summary>Schedules for tests.</summary>
internal static class ScheduleSamples
{
    /// <summary>Returns a time, in minutes from the start of a <see cref="CoreHarness"/>.</summary>
    public static DateTimeOffset At(double minute) => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minute);

    public static TaskRecord Template(TaskType type) => new("", new TaskId(""), type, type == TaskType.Query ? "Maria" : null, null, 0);

    public static ScheduleRecord Schedule(string name, string cron)
    {
        Assert.True(ScheduleTimes.TryParse(cron, "UTC", out var times, out _));
        return new ScheduleRecord(name, times, Template(TaskType.Query), At(0));
    }
}
