using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Schedules;

/// <summary>A schedule as it is stored. Immutable.</summary>
/// <param name="Name">The name, which is unique at the server that the schedule belongs to.</param>
/// <param name="Task">The task to accept at each time. Its ids are empty.</param>
/// <param name="Since">The time when the schedule was put. Only later times count.</param>
internal sealed partial record ScheduleRecord(string Name, ScheduleTimes Times, TaskRecord Task, DateTimeOffset Since)
{
    public const int MaxNameLength = 64;

    /// <summary>The latest time for which a task was accepted, or null. Only later times count, so that no time fires twice.</summary>
    public DateTimeOffset? LastFired { get; init; }

    /// <summary>The id of the last task, or null.</summary>
    public string? LastTask { get; init; }

    /// <summary>The adopted server in whose part of the store the schedule is kept, or null for a schedule of this server.</summary>
    [JsonIgnore]
    public ServerId? StoredBy { get; init; }

    /// <summary>
    /// The key of this schedule among the tasks that the store returns for a batch, with null, when its deletion was not written because the lease of the adopted server is lost.
    /// </summary>
    [JsonIgnore]
    public string UnwrittenKey => $"schedule {Name} of {StoredBy}";

    /// <summary>The first time that has not fired, or null when there is none.</summary>
    [JsonIgnore]
    public DateTimeOffset? NextTime => Times.FindNext(LastFired > Since ? LastFired.Value : Since);

    /// <summary>Returns whether a name consists of 1 to 64 letters, digits, '.', '_' and '-', and is neither . nor .., which a URL cannot contain.</summary>
    public static bool IsValidName(string name) => NamePattern().IsMatch(name) && name is not ("." or "..");

    /// <summary>Returns the id of the task for a time. It is an idempotency key, so the store accepts one task for each time.</summary>
    public string GetTaskId(DateTimeOffset time) => string.Create(CultureInfo.InvariantCulture, $"schedule:{Name}:{time.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}");

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex NamePattern();
}
