using Mesh.Protocol;
using Mesh.Server.Core.Persistence;

namespace Mesh.Server.Core.Tasks;

/// <summary>How tasks come to this server: from clients, from its store at the start, and from the part of another server that it serves for a while.</summary>
internal sealed class TaskAdmission(CoreState core, TaskLifecycle tasks)
{
    /// <summary>Takes up what the store holds, in the order in which it was accepted.</summary>
    public void Restore(StoredState stored, DateTimeOffset now)
    {
        core.Tasks.Start(stored.Done, stored.Dead, now);
        foreach (var record in stored.Tasks.OrderBy(task => task.Sequence))
        {
            var task = new TaskEntry(record with { State = TaskState.Queued });
            core.Tasks.Add(task);
            core.Tasks.Enqueue(task, now);
        }
    }

    /// <summary>Takes up stored tasks amid the work, those of a server in the order in which it had accepted them.</summary>
    public void AddStoredTasks(IReadOnlyList<TaskRecord> stored, DateTimeOffset now)
    {
        foreach (var record in stored.Where(task => core.Tasks.Find(task.WireId) is null).OrderBy(task => task.Sequence))
        {
            var task = new TaskEntry(record with { State = TaskState.Queued });
            core.Tasks.Add(task);
            tasks.Enqueue(task, now);
        }
    }

    /// <summary>Forgets the tasks of another server, wherever they stand: whoever has its claim serves them. Tells how many.</summary>
    public int RemoveAdoptedTasks(ServerId storedBy, DateTimeOffset now)
    {
        var theirs = core.Tasks.All.Where(task => task.Record.StoredBy == storedBy).ToList();
        foreach (var task in theirs)
        {
            core.Tasks.Detach(task, now);
            core.Tasks.Remove(task);
            task.Step = TaskStep.Settling;
        }

        return theirs.Count;
    }

    /// <summary>Refuses submissions and retries of dead letters until <see cref="Resume"/>. Tasks that have been accepted, or are being stored, stay accepted.</summary>
    public void Pause()
    {
        if (!core.Paused)
        {
            core.Paused = true;
            core.Report(new ServerPaused(core.Tasks.Depth, core.Tasks.Running));
        }
    }

    public void Resume()
    {
        if (core.Paused)
        {
            core.Paused = false;
            core.Report(new ServerResumed());
        }
    }

    public void OnSubmit(Submission submission, DateTimeOffset now)
    {
        if (core.Stopping)
        {
            core.Effects.SubmissionResults.Add((submission, SubmitOutcome.Stopping));
            return;
        }

        if (core.Paused)
        {
            core.Effects.SubmissionResults.Add((submission, SubmitOutcome.Paused));
            return;
        }

        if (core.StoreUnavailable)
        {
            // At once, rather than after another write has failed.
            core.Effects.SubmissionResults.Add((submission, SubmitOutcome.StoreUnavailable));
            return;
        }

        if (core.StoreNotDurable)
        {
            core.Effects.SubmissionResults.Add((submission, SubmitOutcome.StoreNotDurable));
            return;
        }

        var fresh = 0;
        foreach (var task in submission.Tasks)
        {
            fresh += FindExisting(task, submission) is null ? 1 : 0;
        }

        if (fresh > core.Settings.Tasks.Capacity)
        {
            core.Effects.SubmissionResults.Add((submission, SubmitOutcome.TooMany));
            return;
        }

        if (fresh > 0 && core.Tasks.Count + fresh > core.Settings.Tasks.Capacity)
        {
            core.Effects.SubmissionResults.Add((submission, SubmitOutcome.Full));
            return;
        }

        var entries = new List<TaskEntry>(fresh);
        List<TaskEntry>? repeated = null;
        for (var i = 0; i < submission.Tasks.Count; i++)
        {
            var record = submission.Tasks[i];
            var (known, entry) = FindExisting(record, submission) ?? default;
            if (known is null)
            {
                var task = new TaskEntry(record with { Sequence = core.Tasks.NextSequence(now) });
                core.Tasks.Add(task);
                entries.Add(task);
            }
            else if (!submission.IsDeadLetterRetry && record.DifferencesFrom(known) is not TaskFields.None and var fields)
            {
                entries.ForEach(core.Tasks.Remove);
                submission.Conflict = new(i, fields);
                core.Effects.SubmissionResults.Add((submission, SubmitOutcome.Conflict));
                return;
            }
            else if (entry is { Step: TaskStep.Storing })
            {
                (repeated ??= []).Add(entry);
            }
        }

        if (submission.IsDeadLetterRetry && entries.Count == 0)
        {
            core.Effects.SubmissionResults.Add((submission, SubmitOutcome.NotDead));
            return;
        }

        foreach (var task in entries)
        {
            core.Journal.Add(StoreOp.Of(submission.IsDeadLetterRetry ? StoreOpKind.RetryDeadLetter : StoreOpKind.AcceptTask, task.Record));
        }

        core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Accepted) { Submission = submission, Tasks = entries, Repeated = repeated ?? [] });
    }

    public void OnAccepted(in StoreContinuation accepted, IReadOnlyDictionary<string, TaskRecord?> known, DateTimeOffset now)
    {
        var submission = accepted.Submission!;
        if (known.Count > 0 && !submission.IsDeadLetterRetry && FindConflict(accepted.Tasks, submission, known) is { } conflict)
        {
            Withdraw(accepted.Tasks, known);
            submission.Conflict = conflict;
            core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Withdrawn) { Submission = submission });
            return;
        }

        if (accepted.Repeated.Any(task => task.Withdrawn))
        {
            // It was to be accepted as a part of a submission that has been refused: it is decided anew.
            Withdraw(accepted.Tasks, known);
            OnSubmit(submission, now);
            return;
        }

        var outcome = SubmitOutcome.Accepted;
        foreach (var task in accepted.Tasks)
        {
            if (known.ContainsKey(task.Record.ExistingTaskKey))
            {
                core.Tasks.Remove(task);
                outcome = submission.IsDeadLetterRetry ? SubmitOutcome.NotDead : outcome;
                continue;
            }

            core.Tasks.Dead -= submission.IsDeadLetterRetry && task.Record.StoredBy is null ? 1 : 0;
            if (core.Tasks.Find(task.Id) == task)
            {
                tasks.Enqueue(task, now);
            }
        }

        core.Effects.SubmissionResults.Add((submission, outcome));
    }

    /// <summary>The store is away: what waited to be accepted is not.</summary>
    public void OnRefused(in StoreContinuation refused)
    {
        foreach (var task in refused.Tasks)
        {
            core.Tasks.Remove(task);
        }

        core.Effects.SubmissionResults.Add((refused.Submission!, refused.MayBeStored ? SubmitOutcome.Unknown : SubmitOutcome.StoreUnavailable));
    }

    /// <summary>An unsettled task of an adopted server by the client's id, or null.</summary>
    public TaskEntry? FindAdopted(string id)
    {
        foreach (var server in core.Adoptions.Keys)
        {
            if (core.Tasks.Find(id, server) is { } task)
            {
                return task;
            }
        }

        return null;
    }

    /// <summary>A stored record may be unreadable and null: then there is nothing to compare with.</summary>
    private static TaskConflict? FindConflict(IReadOnlyList<TaskEntry> tasks, Submission submission, IReadOnlyDictionary<string, TaskRecord?> known)
    {
        foreach (var task in tasks)
        {
            if (known.GetValueOrDefault(task.Record.ExistingTaskKey) is { } stored && task.Record.DifferencesFrom(stored) is not TaskFields.None and var fields)
            {
                return new(submission.Tasks.Index().First(submitted => submitted.Item.WireId == task.Id).Index, fields);
            }
        }

        return null;
    }

    /// <summary>Takes back tasks that have been stored and not yet queued.</summary>
    private void Withdraw(IReadOnlyList<TaskEntry> entries, IReadOnlyDictionary<string, TaskRecord?> known)
    {
        foreach (var task in entries)
        {
            core.Tasks.Remove(task);
            task.Withdrawn = true;
            if (!known.ContainsKey(task.Record.ExistingTaskKey))
            {
                core.Journal.Add(StoreOp.Of(StoreOpKind.DropTask, task.Record));
            }
        }
    }

    /// <summary>The task that a submitted one is already, with its entry while this server holds it in memory; null for a new one.</summary>
    private (TaskRecord Record, TaskEntry? Entry)? FindExisting(TaskRecord task, Submission submission)
    {
        if (!task.Keyed && !submission.IsDeadLetterRetry)
        {
            return null;
        }

        var entry = core.Tasks.Find(task.Id, task.StoredBy) ?? (submission.IsDeadLetterRetry ? null : FindAdopted(task.Id));
        return entry is not null ? (entry.Record, entry)
            : submission.Settled?.GetValueOrDefault(task.Id) is { } settled ? (settled, null)
            : null;
    }
}
