using System.Globalization;
using Mesh.Server.Core.Schedules;

namespace Mesh.Tests.Core.Schedules;

public sealed class ScheduleTimesTests
{
    [Theory]
    [InlineData("*/5 * * * *", "UTC", "2026-01-01T00:01:00Z", "2026-01-01T00:05:00Z")]
    [InlineData("*/10 * * * * *", "UTC", "2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z")]
    [InlineData("0 9 * * MON-FRI", "America/New_York", "2026-01-02T15:00:00Z", "2026-01-05T14:00:00Z")]
    [InlineData("@daily", "UTC", "2026-01-01T00:01:00Z", "2026-01-02T00:00:00Z")]
    public void FindNext_Expression_GivesTheFirstTimeAfter(string cron, string zone, string after, string next) =>
        Assert.Equal(At(next), Times(cron, zone).FindNext(At(after)));

    /// <summary>Europe/Lisbon: 29 March 2026 has no 01:30 (01:00 becomes 02:00), and 25 October has it twice (02:00 becomes 01:00).</summary>
    [Theory]
    [InlineData("30 1 * * *", "2026-03-28T12:00:00Z", new[] { "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z" })]
    [InlineData("30 1 * * *", "2026-10-24T12:00:00Z", new[] { "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" })]
    [InlineData("*/30 * * * *", "2026-03-29T00:15:00Z", new[] { "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z" })]
    [InlineData("*/30 1 * * *", "2026-10-24T23:30:00Z", new[] { "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z" })]
    public void FindNext_ClockChange_FollowsTheDocumentedRule(string cron, string after, string[] expected)
    {
        var (times, last) = (Times(cron, "Europe/Lisbon"), At(after));
        foreach (var next in expected)
        {
            last = times.FindNext(last)!.Value;
            Assert.Equal(At(next), last);
        }
    }

    [Theory]
    [InlineData("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:00:59Z", "2026-01-01T00:00:00Z", 0)]
    [InlineData("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:03:00Z", "2026-01-01T00:03:00Z", 3)]
    [InlineData("0 0 1 * *", "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", "2026-12-01T00:00:00Z", 11)]
    [InlineData("* * * * * *", "2026-01-01T00:00:00Z", "2036-01-01T00:00:00.5Z", "2036-01-01T00:00:00Z", ScheduleTimes.MaxCounted)]
    [InlineData("0 12 29 2 *", "2020-02-29T12:00:00Z", "2026-01-01T00:00:00Z", "2024-02-29T12:00:00Z", 1)]
    public void FindLatest_MissedTimes_GivesTheLatestAndCountsTheEarlier(string cron, string first, string now, string latest, int earlier) =>
        Assert.Equal((At(latest), earlier), Times(cron, "UTC").FindLatest(At(first), At(now)));

    /// <summary>Each time that a search by halves finds is the one that a walk over all times finds.</summary>
    [Theory]
    [InlineData("*/7 * * * *", "Europe/Lisbon")]
    [InlineData("13 1-3 * * SUN", "Europe/Lisbon")]
    [InlineData("0 */45 0-12 * * *", "America/New_York")]
    public void FindLatest_AnyPeriod_AgreesWithAWalk(string cron, string zone)
    {
        var (times, random) = (Times(cron, zone), new Random(7));
        for (var i = 0; i < 50; i++)
        {
            var first = times.FindNext(At("2026-01-01T00:00:00Z").AddMinutes(random.Next(525_600)))!.Value;
            var now = first.AddMinutes(random.Next(20_000));
            var latest = first;
            while (times.FindNext(latest) is { } next && next <= now)
            {
                latest = next;
            }

            Assert.Equal(latest, times.FindLatest(first, now).Latest);
        }
    }

    [Theory]
    [InlineData("", "UTC", "cron")]
    [InlineData("* * * *", "UTC", "cron")]
    [InlineData("* * * * * * *", "UTC", "cron")]
    [InlineData("61 * * * *", "UTC", "cron")]
    [InlineData("hourly", "UTC", "cron")]
    [InlineData("* * * * *", "", "timeZone")]
    [InlineData("* * * * *", "Europe/Atlantis", "timeZone")]
    [InlineData("* * * * *", "../Europe/Lisbon", "timeZone")]
    [InlineData("* * * * *", "/etc/localtime", "timeZone")]
    public void TryParse_BadValue_NamesTheField(string cron, string zone, string field)
    {
        Assert.False(ScheduleTimes.TryParse(cron, zone, out var times, out var fault));
        Assert.Null(times);
        Assert.Equal(field, fault.Value.Field);
    }

    [Theory]
    [InlineData("nightly", true)]
    [InlineData("A.b_c-9", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("café", false)]
    [InlineData("new\nline", false)]
    [InlineData("nightly\n", false)]
    public void Name_Characters_AreChecked(string name, bool isValid) => Assert.Equal(isValid, ScheduleRecord.IsValidName(name));

    [Fact]
    public void Name_Length_IsLimitedSoThatTheTasksIdFits()
    {
        var longest = new string('n', 64);
        Assert.True(ScheduleRecord.IsValidName(longest));
        Assert.False(ScheduleRecord.IsValidName(longest + "n"));
        var schedule = ScheduleSamples.Schedule(longest, "* * * * *");
        Assert.Equal($"schedule:{longest}:2026-01-01T00:05:00Z", schedule.GetTaskId(At("2026-01-01T01:05:00+01:00")));
    }

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);

    private static ScheduleTimes Times(string cron, string zone)
    {
        Assert.True(ScheduleTimes.TryParse(cron, zone, out var times, out _));
        return times;
    }
}
