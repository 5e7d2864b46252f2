using System.Security.Cryptography;
using System.Text;
using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Schedules;

/// <summary>
/// Puts, deletes and fires schedules (docs/protocol.md, "Schedules over HTTP"). A time fires by one change to the store, which accepts its task and sets the last time of the
/// schedule. Only the process with the lease of the schedule's server can write it, so each time fires once in the mesh.
/// </summary>
internal sealed class ScheduleCoordinator(CoreState core, TaskLifecycle tasks)
{
    /// <summary>The delay while the id of a time belongs to a submission that is being stored.</summary>
    private static readonly TimeSpan IdInUseDelay = TimeSpan.FromSeconds(1);

    /// <summary>The time when <see cref="OnTimer"/> is due, or null. A server that cannot accept a task waits for the change of that state, and not for a time.</summary>
    public DateTimeOffset? NextDeadline => CanFire ? core.Schedules.NextDue : null;

    private bool CanFire => !core.Stopping && !core.Paused && !core.StoreUnavailable && !core.StoreNotDurable && core.Tasks.Count < core.Settings.Tasks.Capacity;

    /// <summary>Adds stored schedules. Called when the server starts, and when it has adopted another server.</summary>
    public void Restore(IReadOnlyList<ScheduleRecord> stored, DateTimeOffset now)
    {
        foreach (var record in stored.OrderBy(record => record.Name, StringComparer.Ordinal))
        {
            // If the clock was set back, the stored time may be in the future. Without the correction the next times would be skipped.
            core.Schedules.Add(record.Since > now ? record with { Since = now } : record);
        }
    }

    /// <summary>Removes the schedules of an adopted server from memory. Called when another process holds its server lease.</summary>
    public void RemoveAdopted(ServerId server)
    {
        foreach (var entry in core.Schedules.All.Where(entry => entry.Record.StoredBy == server).ToList())
        {
            core.Schedules.Remove(entry);
        }

        RemoveUnwritable();
    }

    /// <summary>
    /// Removes changes to schedules of servers that this server has not adopted from the journal. Another process may have changed these schedules, and they would be overwritten
    /// if the server were adopted again.
    /// </summary>
    public void RemoveUnwritable() => core.Journal.RemoveSchedules(server => !core.Adoptions.ContainsKey(server));

    /// <summary>Applies a change that a client has requested. Its outcome is added to <see cref="Effects.SubmissionResults"/>, at once or when it is stored.</summary>
    public void OnChange(Submission submission, DateTimeOffset now)
    {
        var change = submission.Schedule!;
        if ((core.Stopping ? SubmitOutcome.Stopping
            : core.StoreUnavailable ? SubmitOutcome.StoreUnavailable
            : core.StoreNotDurable ? SubmitOutcome.StoreNotDurable
            : change.Record is { } record ? Put(change, record, now)
            : Delete(change)) is { } refused)
        {
            core.Effects.SubmissionResults.Add((submission, refused));
            return;
        }

        core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Accepted) { Submission = submission });
    }

    /// <summary>Adds the outcome of a change. Called when it is stored.</summary>
    /// <param name="known">Contains a deleted schedule of an adopted server whose lease was lost, as in <see cref="ServerCore.OnStored"/>.</param>
    public void OnChangeStored(Submission submission, IReadOnlyDictionary<string, TaskRecord?> known) => core.Effects.SubmissionResults.Add(
        (submission, submission.Schedule!.Deleted is { } deleted && known.ContainsKey(deleted.UnwrittenKey) ? SubmitOutcome.NoSchedule : SubmitOutcome.Accepted));

    /// <summary>Fires the schedules whose time has come.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        while (CanFire && core.Schedules.TryTakeDue(now, out var entry))
        {
            Fire(entry, now);
        }
    }

    /// <summary>Queues the task of a time. Called when the time is stored.</summary>
    /// <param name="known">The tasks that the store did not add, as in <see cref="ServerCore.OnStored"/>.</param>
    public void OnFired(ScheduleFiring firing, IReadOnlyDictionary<string, TaskRecord?> known, DateTimeOffset now)
    {
        var (entry, fired) = (firing.Entry, firing.Fired);
        entry.Firing = null;
        if (core.Schedules.Find(fired.StoredBy, fired.Name) == entry)
        {
            // A client may have replaced the schedule meanwhile.
            core.Schedules.Replace(entry, entry.Record with { LastFired = fired.LastFired, LastTask = fired.LastTask });
        }

        if (firing.Task is not { } task || core.Tasks.Find(task.Id) != task)
        {
            return;
        }

        if (known.ContainsKey(task.Record.ExistingTaskKey))
        {
            core.Tasks.Remove(task);
            return;
        }

        core.Report(new ScheduleFired(fired.Name, task.Record, fired.LastFired!.Value, firing.Skipped));
        tasks.Enqueue(task, now);
    }

    /// <summary>Returns the changes that make a store that has lost writes equal to this server's memory.</summary>
    public IEnumerable<StoreOp> Repair(IReadOnlyList<ScheduleRecord> stored) =>
    [
        .. stored.Where(record => core.Schedules.Find(null, record.Name) is null).Select(record => StoreOp.Of(StoreOpKind.DropSchedule, record)),
        .. core.Schedules.All.Where(entry => entry.Record.StoredBy is null).Select(entry => StoreOp.Of(StoreOpKind.PutSchedule, entry.Record)),
    ];

    private SubmitOutcome? Put(ScheduleChange change, ScheduleRecord record, DateTimeOffset now)
    {
        var existing = core.Schedules.Find(null, change.Name);
        if (existing is null && core.Schedules.OwnCount >= core.Settings.Tasks.MaxSchedules)
        {
            return SubmitOutcome.TooManySchedules;
        }

        // The times that have fired stay known, so that none of them fires again when the clock is set back.
        var last = existing?.Firing?.Fired ?? existing?.Record;
        record = record with { Since = now, LastFired = last?.LastFired, LastTask = last?.LastTask };
        if (existing is not null)
        {
            core.Schedules.Replace(existing, record);
        }
        else
        {
            core.Schedules.Add(record);
        }

        change.IsReplaced = existing is not null;
        change.Stored = new ScheduleStatus(record, record.NextTime);
        core.Journal.Add(StoreOp.Of(StoreOpKind.PutSchedule, record));
        return null;
    }

    private SubmitOutcome? Delete(ScheduleChange change)
    {
        if (core.FindSchedule(change.Name) is not { } entry)
        {
            return SubmitOutcome.NoSchedule;
        }

        change.Deleted = entry.Record;
        core.Schedules.Remove(entry);
        core.Journal.Add(StoreOp.Of(StoreOpKind.DropSchedule, entry.Record));
        return null;
    }

    private void Fire(ScheduleEntry entry, DateTimeOffset now)
    {
        var schedule = entry.Record;
        var (time, skipped) = schedule.Times.FindLatest(schedule.NextTime!.Value, now);
        var id = schedule.GetTaskId(time);
        var existing = core.Tasks.Find(id, schedule.StoredBy);
        if (existing is { Step: TaskStep.Storing })
        {
            // A client has submitted a task with this id, which may still be refused.
            core.Schedules.Postpone(entry, now + IdInUseDelay);
            return;
        }

        var task = existing is null ? CreateTask(schedule, id, time, now) : null;
        entry.Firing = new ScheduleFiring(entry, schedule with { LastFired = time, LastTask = id }, task, skipped);
        core.Journal.Add(StoreOp.Of(StoreOpKind.PutSchedule, entry.Firing.Fired) with { Task = task?.Record });
        core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.ScheduleFired) { Firing = entry.Firing });
    }

    private TaskEntry CreateTask(ScheduleRecord schedule, string id, DateTimeOffset time, DateTimeOffset now)
    {
        // The TASK_ID is unique over all servers and times. The hash keeps two servers apart whose random numbers are the same.
        var seed = $"{core.Settings.Id} {schedule.StoredBy} {schedule.Name} {time.UtcTicks} {now.UtcTicks} {core.Random.NextInt64()}";
        var record = schedule.Task with
        {
            Id = id,
            WireId = new TaskId(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(seed)).AsSpan(0, 16))),
            Keyed = true,
            Sequence = core.Tasks.NextSequence(now),
            StoredBy = schedule.StoredBy,
        };
        var task = new TaskEntry(record with { TraceParent = core.Effects.StartTrace(record) });
        core.Tasks.Add(task);
        return task;
    }
}
