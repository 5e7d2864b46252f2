using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>How tasks come to this server: from clients, from its store at the start, and from the part of another server that it serves for a while.</summary>
internal sealed class TaskIntake(CoreState core, TaskFlow tasks)
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
    public void TakeUp(IReadOnlyList<TaskRecord> stored, DateTimeOffset now)
    {
        foreach (var record in stored.Where(task => core.Tasks.Find(task.WireId) is null).OrderBy(task => task.Sequence))
        {
            var task = new TaskEntry(record with { State = TaskState.Queued });
            core.Tasks.Add(task);
            tasks.Queue(task, now);
        }
    }

    /// <summary>Forgets the tasks of another server, wherever they stand: whoever has its claim serves them. Tells how many.</summary>
    public int Disown(ServerId keeper, DateTimeOffset now)
    {
        var theirs = core.Tasks.All.Where(task => task.Record.Keeper == keeper).ToList();
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
            core.Tell(new ServerPaused(core.Tasks.Depth, core.Tasks.Running));
        }
    }

    public void Resume()
    {
        if (core.Paused)
        {
            core.Paused = false;
            core.Tell(new ServerResumed());
        }
    }

    public void OnSubmit(Submission submission, DateTimeOffset now)
    {
        if (core.Stopping)
        {
            core.Effects.Answers.Add((submission, SubmitOutcome.Stopping));
            return;
        }

        if (core.Paused)
        {
            core.Effects.Answers.Add((submission, SubmitOutcome.Paused));
            return;
        }

        if (core.StoreAway)
        {
            // At once, rather than after another write has failed.
            core.Effects.Answers.Add((submission, SubmitOutcome.StorageAway));
            return;
        }

        if (core.StoreUnsafe)
        {
            core.Effects.Answers.Add((submission, SubmitOutcome.StorageUnsafe));
            return;
        }

        var fresh = 0;
        foreach (var task in submission.Tasks)
        {
            fresh += FindKnown(task, submission) is null ? 1 : 0;
        }

        if (fresh > core.Settings.Tasks.Capacity)
        {
            core.Effects.Answers.Add((submission, SubmitOutcome.TooMany));
            return;
        }

        if (fresh > 0 && core.Tasks.Count + fresh > core.Settings.Tasks.Capacity)
        {
            core.Effects.Answers.Add((submission, SubmitOutcome.Full));
            return;
        }

        var entries = new List<TaskEntry>(fresh);
        List<TaskEntry>? repeated = null;
        for (var i = 0; i < submission.Tasks.Count; i++)
        {
            var record = submission.Tasks[i];
            var (known, entry) = FindKnown(record, submission) ?? default;
            if (known is null)
            {
                var task = new TaskEntry(record with { Sequence = core.Tasks.NextSequence(now) });
                core.Tasks.Add(task);
                entries.Add(task);
            }
            else if (!submission.Revive && record.DifferencesFrom(known) is not TaskFields.None and var fields)
            {
                entries.ForEach(core.Tasks.Remove);
                submission.Conflict = new(i, fields);
                core.Effects.Answers.Add((submission, SubmitOutcome.Conflict));
                return;
            }
            else if (entry is { Step: TaskStep.Storing })
            {
                (repeated ??= []).Add(entry);
            }
        }

        if (submission.Revive && entries.Count == 0)
        {
            core.Effects.Answers.Add((submission, SubmitOutcome.NotDead));
            return;
        }

        foreach (var task in entries)
        {
            core.Journal.Add(StoreOp.Of(submission.Revive ? StoreOpKind.ReviveTask : StoreOpKind.AcceptTask, task.Record));
        }

        core.Journal.Then(new AfterStore(AfterStoreKind.Accepted) { Submission = submission, Tasks = entries, Repeated = repeated ?? [] });
    }

    public void OnAccepted(in AfterStore accepted, IReadOnlyDictionary<string, TaskRecord?> known, DateTimeOffset now)
    {
        var submission = accepted.Submission!;
        if (known.Count > 0 && !submission.Revive && FindConflict(accepted.Tasks, submission, known) is { } conflict)
        {
            Withdraw(accepted.Tasks, known);
            submission.Conflict = conflict;
            core.Journal.Then(new AfterStore(AfterStoreKind.Withdrawn) { Submission = submission });
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
            if (known.ContainsKey(task.Record.KnownAs))
            {
                core.Tasks.Remove(task);
                outcome = submission.Revive ? SubmitOutcome.NotDead : outcome;
                continue;
            }

            core.Tasks.Dead -= submission.Revive && task.Record.Keeper is null ? 1 : 0;
            if (core.Tasks.Find(task.Id) == task)
            {
                tasks.Queue(task, now);
            }
        }

        core.Effects.Answers.Add((submission, outcome));
    }

    /// <summary>The store is away: what waited to be accepted is not.</summary>
    public void OnRefused(in AfterStore refused)
    {
        foreach (var task in refused.Tasks)
        {
            core.Tasks.Remove(task);
        }

        core.Effects.Answers.Add((refused.Submission!, refused.MayBeStored ? SubmitOutcome.Unknown : SubmitOutcome.StorageAway));
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
            if (known.GetValueOrDefault(task.Record.KnownAs) is { } stored && task.Record.DifferencesFrom(stored) is not TaskFields.None and var fields)
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
            if (!known.ContainsKey(task.Record.KnownAs))
            {
                core.Journal.Add(StoreOp.Of(StoreOpKind.DropTask, task.Record));
            }
        }
    }

    /// <summary>The task that a submitted one is already, with its entry while this server holds it in memory; null for a new one.</summary>
    private (TaskRecord Record, TaskEntry? Entry)? FindKnown(TaskRecord task, Submission submission)
    {
        if (!task.Keyed && !submission.Revive)
        {
            return null;
        }

        var entry = core.Tasks.Find(task.Id, task.Keeper) ?? (submission.Revive ? null : FindAdopted(task.Id));
        return entry is not null ? (entry.Record, entry)
            : submission.Settled?.GetValueOrDefault(task.Id) is { } settled ? (settled, null)
            : null;
    }
}
