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

        var fresh = submission.Tasks.Count(task => !IsKnown(task, submission));
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
        foreach (var record in submission.Tasks)
        {
            if (IsKnown(record, submission))
            {
                continue;
            }

            var task = new TaskEntry(record with { Sequence = core.Tasks.NextSequence(now) });
            core.Tasks.Add(task);
            core.Journal.Add(StoreOp.Of(submission.Revive ? StoreOpKind.ReviveTask : StoreOpKind.AcceptTask, task.Record));
            entries.Add(task);
        }

        if (submission.Revive && entries.Count == 0)
        {
            core.Effects.Answers.Add((submission, SubmitOutcome.NotDead));
            return;
        }

        core.Journal.Then(new AfterStore(AfterStoreKind.Accepted) { Submission = submission, Tasks = entries });
    }

    public void OnAccepted(in AfterStore accepted, IReadOnlySet<string> known, DateTimeOffset now)
    {
        var outcome = SubmitOutcome.Accepted;
        foreach (var task in accepted.Tasks)
        {
            if (known.Contains(task.Record.KnownAs))
            {
                core.Tasks.Remove(task);
                outcome = accepted.Submission!.Revive ? SubmitOutcome.NotDead : outcome;
                continue;
            }

            core.Tasks.Dead -= accepted.Submission!.Revive && task.Record.Keeper is null ? 1 : 0;
            if (core.Tasks.Find(task.Id) == task)
            {
                tasks.Queue(task, now);
            }
        }

        core.Effects.Answers.Add((accepted.Submission!, outcome));
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

    private bool IsKnown(TaskRecord task, Submission submission) => (task.Keyed || submission.Revive) && core.Tasks.Find(task.Id, task.Keeper) is not null;
}
