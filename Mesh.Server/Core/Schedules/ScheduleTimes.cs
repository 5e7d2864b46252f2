using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Cronos;

namespace Mesh.Server.Core.Schedules;

/// <summary>The times of a schedule: a cron expression in a time zone. Immutable.</summary>
internal sealed partial class ScheduleTimes : IEquatable<ScheduleTimes>
{
    /// <summary>The time zone of a schedule that names none.</summary>
    public const string DefaultTimeZone = "UTC";

    /// <summary>The number of missed times up to which <see cref="FindLatest"/> counts.</summary>
    public const int MaxCounted = 10_000;

    private const int MaxCronLength = 256;
    private const int FieldsWithSeconds = 6;

    private readonly CronExpression _expression;
    private readonly TimeZoneInfo _zone;

    private ScheduleTimes(string cron, string timeZone, CronExpression expression, TimeZoneInfo zone) => (Cron, TimeZone, _expression, _zone) = (cron, timeZone, expression, zone);

    /// <summary>The expression as it was given: 5 fields, or 6 with seconds first.</summary>
    public string Cron { get; }

    /// <summary>The IANA name of the time zone, such as Europe/Lisbon.</summary>
    public string TimeZone { get; }

    /// <summary>Reads an expression and a time zone. It looks up the time zone on this machine, so a shell calls it and not the core.</summary>
    /// <param name="fault">The faulty field, cron or timeZone, and the description of the error without the subject.</param>
    public static bool TryParse(string cron, string timeZone, [NotNullWhen(true)] out ScheduleTimes? times, [NotNullWhen(false)] out (string Field, string Detail)? fault)
    {
        (times, fault) = (null, null);
        if (cron.Length > MaxCronLength)
        {
            fault = ("cron", $"must not be longer than {MaxCronLength} characters");
            return false;
        }

        // The pattern prevents a name from being a path outside of the time zone data.
        if (!ZoneName().IsMatch(timeZone) || !TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out var zone))
        {
            fault = ("timeZone", "must be the IANA name of a time zone that this server knows, such as \"Europe/Lisbon\" or \"UTC\"");
            return false;
        }

        try
        {
            var fields = cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
            var expression = CronExpression.Parse(cron, fields == FieldsWithSeconds ? CronFormat.IncludeSeconds : CronFormat.Standard);
            times = new ScheduleTimes(cron, timeZone, expression, zone);
            return true;
        }
        catch (CronFormatException exception)
        {
            fault = ("cron", $"must have 5 fields, or 6 with seconds: {exception.Message.TrimEnd('.')}");
            return false;
        }
    }

    /// <summary>Returns the first time after the given one, or null when there is none.</summary>
    public DateTimeOffset? FindNext(DateTimeOffset after) => _expression.GetNextOccurrence(after, _zone)?.ToUniversalTime();

    /// <summary>Finds the latest time that is not after <paramref name="now"/>. The number of steps grows with the logarithm of the period.</summary>
    /// <param name="first">A time of this schedule that is not after <paramref name="now"/>.</param>
    /// <returns>The latest time, and the number of times from <paramref name="first"/> to before the latest, at most <see cref="MaxCounted"/>.</returns>
    public (DateTimeOffset Latest, int Earlier) FindLatest(DateTimeOffset first, DateTimeOffset now)
    {
        var (latest, end) = (first, now);
        while (FindNext(latest) is { } next && next <= now)
        {
            latest = next;
            var middle = latest + ((end - latest) / 2);
            if (FindNext(middle) is { } later && later <= now)
            {
                latest = later;
            }
            else
            {
                end = middle;
            }
        }

        var earlier = 0;
        for (DateTimeOffset? time = first; time < latest && earlier < MaxCounted; time = FindNext(time.Value))
        {
            earlier++;
        }

        return (latest, earlier);
    }

    public bool Equals(ScheduleTimes? other) => other is not null && Cron == other.Cron && TimeZone == other.TimeZone;

    public override bool Equals(object? obj) => Equals(obj as ScheduleTimes);

    public override int GetHashCode() => HashCode.Combine(Cron, TimeZone);

    public override string ToString() => $"{Cron} {TimeZone}";

    [GeneratedRegex(@"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,3}\z")]
    private static partial Regex ZoneName();
}
