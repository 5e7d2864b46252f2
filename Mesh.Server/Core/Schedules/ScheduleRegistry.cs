using System.Diagnostics.CodeAnalysis;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Schedules;

/// <summary>The schedules of this server and of the servers that it has adopted, in the order of their next times.</summary>
internal sealed class ScheduleRegistry
{
    private readonly Dictionary<(ServerId? StoredBy, string Name), ScheduleEntry> _byName = [];
    private readonly PriorityQueue<ScheduleEntry, (DateTimeOffset Due, long Order)> _due = new();
    private long _order;

    /// <summary>The number of schedules of this server, without those of adopted servers.</summary>
    public int OwnCount { get; private set; }

    /// <summary>The next time of any schedule, or null.</summary>
    public DateTimeOffset? NextDue => _due.TryPeek(out _, out var next) ? next.Due : null;

    public IEnumerable<ScheduleEntry> All => _byName.Values;

    public ScheduleEntry? Find(ServerId? storedBy, string name) => _byName.GetValueOrDefault((storedBy, name));

    /// <summary>Adds a schedule. There must be none with its name.</summary>
    public ScheduleEntry Add(ScheduleRecord record)
    {
        var entry = new ScheduleEntry(record);
        _byName.Add((record.StoredBy, record.Name), entry);
        OwnCount += record.StoredBy is null ? 1 : 0;
        Enqueue(entry, record.NextTime);
        return entry;
    }

    /// <summary>Replaces the record of a schedule and computes its next time. While a time is being stored, the next one waits.</summary>
    public void Replace(ScheduleEntry entry, ScheduleRecord record)
    {
        _due.Remove(entry, out _, out _);
        entry.Record = record;
        if (entry.Firing is null)
        {
            Enqueue(entry, record.NextTime);
        }
    }

    public void Remove(ScheduleEntry entry)
    {
        _due.Remove(entry, out _, out _);
        _byName.Remove((entry.Record.StoredBy, entry.Record.Name));
        OwnCount -= entry.Record.StoredBy is null ? 1 : 0;
    }

    /// <summary>Takes the schedule whose time is due first. The caller replaces its record, or calls <see cref="Postpone"/>.</summary>
    public bool TryTakeDue(DateTimeOffset now, [NotNullWhen(true)] out ScheduleEntry? entry)
    {
        entry = null;
        return NextDue <= now && _due.TryDequeue(out entry, out _);
    }

    /// <summary>Examines a schedule that was taken again at a later time.</summary>
    public void Postpone(ScheduleEntry entry, DateTimeOffset until) => _due.Enqueue(entry, (until, ++_order));

    private void Enqueue(ScheduleEntry entry, DateTimeOffset? due)
    {
        if (due is { } time)
        {
            _due.Enqueue(entry, (time, ++_order));
        }
    }
}

/// <summary>A schedule in memory.</summary>
internal sealed class ScheduleEntry(ScheduleRecord record)
{
    /// <summary>The schedule. A time that is being stored is not in it yet.</summary>
    public ScheduleRecord Record { get; set; } = record;

    /// <summary>The time that is being stored, or null. There is at most one.</summary>
    public ScheduleFiring? Firing { get; set; }
}

/// <summary>A time of a schedule whose task is being stored.</summary>
/// <param name="Fired">The schedule with this time as its last one.</param>
/// <param name="Task">The task, or null when a task with its id exists.</param>
/// <param name="Skipped">The number of earlier times that were missed and are skipped.</param>
internal sealed record ScheduleFiring(ScheduleEntry Entry, ScheduleRecord Fired, TaskEntry? Task, int Skipped);
