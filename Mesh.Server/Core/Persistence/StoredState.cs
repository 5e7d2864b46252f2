using Mesh.Server.Core.Adoption;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Persistence;

/// <summary>The state of a server in the store. Loaded when the server starts, is adopted, or the store has lost writes.</summary>
internal sealed record StoredState
{
    public static readonly StoredState Empty = new();

    /// <summary>Unsettled tasks, in any order.</summary>
    public IReadOnlyList<TaskRecord> Tasks { get; init; } = [];

    public IReadOnlyList<LoanRecord> Loans { get; init; } = [];

    public IReadOnlyList<ScheduleRecord> Schedules { get; init; } = [];

    /// <summary>The number of tasks completed since the store was created.</summary>
    public long Done { get; init; }

    /// <summary>The number of dead letters in the store.</summary>
    public long Dead { get; init; }

    /// <summary>The largest sequence number of a dead letter in the store, or 0.</summary>
    public long LastDeadSequence { get; init; }
}

/// <summary>
/// Makes the store and this server's memory consistent when the store has lost its latest acknowledged writes. Tasks that only the memory has are written again. Tasks that
/// only the store has, because their settlement was lost, are queued again.
/// </summary>
internal sealed class StoreRecovery(CoreState core, TaskAdmission admission, ScheduleCoordinator schedules, AdoptionCoordinator adoptions)
{
    /// <summary>Starts the recovery. The caller must have refused all submissions that were being stored.</summary>
    public void Recover(StoredState stored, DateTimeOffset now)
    {
        // The stored state of adopted servers was rolled back too. They are adopted again from that state.
        foreach (var server in core.Adoptions.Keys.ToArray())
        {
            adoptions.OnAdoptionEnded(server, now);
        }

        var dropped = core.Journal.TasksToDrop();
        var reloaded = new List<TaskRecord>();
        var ops = new List<StoreOp>();
        foreach (var record in stored.Tasks.Where(record => core.Tasks.Find(record.WireId) is null && !dropped.Contains(record.WireId)))
        {
            if (core.Tasks.Find(record.Id, storedBy: null) is null)
            {
                reloaded.Add(record);
            }
            else
            {
                // The task became a dead letter and was retried under a new TASK_ID. The store lost both changes.
                ops.Add(StoreOp.Of(StoreOpKind.DropTask, record));
            }
        }

        var there = stored.Tasks.Select(record => record.WireId).ToHashSet();

        // A follow-up that is being stored is written with the result of the task that has submitted it.
        var lost = core.Tasks.All.Where(task => task.Record.StoredBy is null && task.Step != TaskStep.Storing && !there.Contains(task.Id)).Select(task => task.ToRecord(TaskState.Queued)).ToList();
        ops.AddRange(lost.Select(record => StoreOp.Of(StoreOpKind.RestoreTask, record)));
        ops.AddRange(stored.Tasks.Where(record => record.IsCancelRequested != true && core.Tasks.Find(record.WireId) is { IsCancelRequested: true })
            .Select(record => StoreOp.Of(StoreOpKind.UpdateTask, core.Tasks.Find(record.WireId)!.ToRecord(TaskState.Queued))));
        ops.AddRange(stored.Loans.Where(loan => core.Loans.Find(loan.Worker) is null).Select(loan => StoreOp.Of(StoreOpKind.DropLoan, loan)));
        ops.AddRange(core.Loans.All.Select(loan => StoreOp.Of(StoreOpKind.PutLoan, loan.Record)));
        ops.AddRange(schedules.Repair(stored.Schedules));
        core.Journal.RemoveReplies([.. reloaded.Select(record => record.WireId)]);
        core.Journal.Prepend(ops);
        (core.Tasks.Done, core.Tasks.Dead) = (stored.Done, stored.Dead);
        core.Tasks.ContinueSequenceAfter(stored.LastDeadSequence);
        core.Report(new StoreRolledBack(lost.Count, reloaded.Count));
        admission.AddStoredTasks(reloaded, now);
    }
}
