using Mesh.Protocol;
using Mesh.Server.Core.Persistence;

namespace Mesh.Server.Core.Tasks;

/// <summary>Accepts tasks: submissions of clients, stored tasks when the server starts, and stored tasks of adopted servers.</summary>
internal sealed class TaskAdmission(CoreState core, TaskLifecycle tasks)
{
    private readonly List<Submission> _restarts = [];

    /// <summary>Queues or schedules the stored tasks in the order of their acceptance. Called once, when the server starts.</summary>
    public void Restore(StoredState stored, DateTimeOffset now)
    {
        core.Tasks.Start(stored.Done, stored.Dead, now);
        core.Tasks.ContinueSequenceAfter(stored.LastDeadSequence);
        foreach (var record in stored.Tasks.OrderBy(task => task.Sequence))
        {
            var task = new TaskEntry(record.State == TaskState.Queued ? record : record with { State = TaskState.Queued });
            core.Tasks.Add(task);
            if (record.State == TaskState.Done)
            {
                tasks.ResumeSettlement(task, record);
                continue;
            }

            tasks.Enqueue(task, now);
        }
    }

    /// <summary>Queues or schedules stored tasks while the server is running, in the order of their acceptance. Tasks that are in memory already are ignored.</summary>
    public void AddStoredTasks(IReadOnlyList<TaskRecord> stored, DateTimeOffset now)
    {
        foreach (var record in stored.Where(task => core.Tasks.Find(task.WireId) is null).OrderBy(task => task.Sequence))
        {
            var task = new TaskEntry(record.State == TaskState.Queued ? record : record with { State = TaskState.Queued });
            core.Tasks.Add(task);
            if (record.State == TaskState.Done)
            {
                tasks.ResumeSettlement(task, record);
                continue;
            }

            tasks.Enqueue(task, now);
        }
    }

    /// <summary>Removes all tasks of an adopted server from memory, in any step. Called when another process holds its server lease.</summary>
    /// <returns>The number of removed tasks.</returns>
    public int RemoveAdoptedTasks(ServerId storedBy, DateTimeOffset now)
    {
        var theirs = core.Tasks.All.Where(task => task.Record.StoredBy == storedBy).ToList();
        foreach (var task in theirs)
        {
            core.Tasks.Detach(task, now);
            core.Tasks.Remove(task);
            tasks.AnswerCancelRequests(task, CancelOutcome.Unknown);
            task.Step = TaskStep.Settling;
        }

        return theirs.Count;
    }

    /// <summary>
    /// Refuses submissions and retries of dead letters until <see cref="Resume"/>. Tasks that are accepted or being stored are not affected. Does nothing when the server is
    /// paused.
    /// </summary>
    public void Pause()
    {
        if (!core.Paused)
        {
            core.Paused = true;
            core.Report(new ServerPauseChanged(PauseStatus.Of(core)));
        }
    }

    /// <summary>Accepts submissions again. Does nothing when the server is not paused.</summary>
    public void Resume()
    {
        if (core.Paused)
        {
            core.Paused = false;
            core.Report(new ServerPauseChanged(PauseStatus.Of(core)));
        }
    }

    /// <summary>Adds the new tasks of a submission to the journal. When it is refused, only adds its outcome to <see cref="Effects.SubmissionResults"/>.</summary>
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
            // Refuse at once, without waiting for the next write to fail.
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
            else if (entry is { Step: TaskStep.Storing } || (entry is { Step: TaskStep.Settling } && submission.IsDeadLetterRetry))
            {
                (repeated ??= []).Add(entry);
            }
        }

        if (submission.IsDeadLetterRetry && repeated is not null)
        {
            // A client repeats the submission of the dead letter, or the store has it before this server knows. The retry starts again when the change is stored.
            entries.ForEach(core.Tasks.Remove);
            core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Accepted) { Submission = submission, Repeated = repeated });
            return;
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

    /// <summary>Queues the tasks of a submission and adds its outcome. Called when its batch is stored.</summary>
    /// <param name="known">The tasks that the store did not add, as in <see cref="ServerCore.OnStored"/>.</param>
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

        if (accepted.Repeated.Any(task => task.Withdrawn || submission.IsDeadLetterRetry))
        {
            // The earlier submission that contained a repeated task was refused, or a retry has waited for it, so this submission starts again.
            Withdraw(accepted.Tasks, known);
            _restarts.Add(submission);
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

            submission.Count++;
            if (core.Tasks.Find(task.Id) == task)
            {
                tasks.Enqueue(task, now);
            }
        }

        core.Effects.SubmissionResults.Add((submission, outcome));
    }

    /// <summary>
    /// Starts submissions again. Called when all acceptances of a batch are handled: two submissions that repeat each other's tasks would otherwise withdraw them from each other
    /// without end.
    /// </summary>
    public void RestartSubmissions(DateTimeOffset now)
    {
        foreach (var submission in _restarts)
        {
            OnSubmit(submission, now);
        }

        _restarts.Clear();
    }

    /// <summary>Removes the tasks of a submission from memory and adds its outcome. Called when its write failed.</summary>
    public void OnRefused(in StoreContinuation refused)
    {
        foreach (var task in refused.Tasks)
        {
            core.Tasks.Remove(task);
        }

        // A change of a schedule stays in the journal, and is stored when the store is available again.
        core.Effects.SubmissionResults.Add((refused.Submission!, refused.MayBeStored || refused.Submission!.Schedule is not null ? SubmitOutcome.Unknown : SubmitOutcome.StoreUnavailable));
    }

    /// <summary>Finds an unsettled task of an adopted server by its client id, or returns null.</summary>
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

    /// <summary>Finds the first task that differs from the stored task with the same id. A null record in <paramref name="known"/> is unreadable and not compared.</summary>
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

    /// <summary>Removes tasks that are stored but not queued from memory, and drops them from the store.</summary>
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

    /// <summary>Finds the existing task that a submitted task repeats, with its entry if it is in memory. Returns null for a new task.</summary>
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
