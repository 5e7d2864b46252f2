using Mesh.Server.Core.Adoption;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Persistence;

/// <summary>What a server finds in its store when it starts.</summary>
internal sealed record StoredState
{
    public static readonly StoredState Empty = new();

    /// <summary>Unsettled tasks, in any order.</summary>
    public IReadOnlyList<TaskRecord> Tasks { get; init; } = [];

    public IReadOnlyList<LoanRecord> Loans { get; init; } = [];

    /// <summary>Tasks done since the store was created.</summary>
    public long Done { get; init; }

    /// <summary>Dead letters in the store.</summary>
    public long Dead { get; init; }
}

/// <summary>
/// Brings the store and this server's memory together again when the store has lost the last of what it had acknowledged: what is here and not there is written again, and
/// what is there and not here, since its end was lost, is taken up as at a start.
/// </summary>
internal sealed class StoreRecovery(CoreState core, TaskAdmission admission, AdoptionCoordinator adoptions)
{
    /// <summary>Called when no acceptance is under way: those have been refused.</summary>
    public void Recover(StoredState stored, DateTimeOffset now)
    {
        // What is stored of an adopted server has gone back as well; it is adopted anew from there.
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
                // It became a dead letter, which was revived under a new TASK_ID; both have been lost.
                ops.Add(StoreOp.Of(StoreOpKind.DropTask, record));
            }
        }

        var there = stored.Tasks.Select(record => record.WireId).ToHashSet();
        var lost = core.Tasks.All.Where(task => task.Record.StoredBy is null && !there.Contains(task.Id)).Select(task => task.ToRecord(TaskState.Queued)).ToList();
        ops.AddRange(lost.Select(record => StoreOp.Of(StoreOpKind.RestoreTask, record)));
        ops.AddRange(stored.Loans.Where(loan => core.Loans.Find(loan.Worker) is null).Select(loan => StoreOp.Of(StoreOpKind.DropLoan, loan)));
        ops.AddRange(core.Loans.All.Select(loan => StoreOp.Of(StoreOpKind.PutLoan, loan.Record)));
        core.Journal.RemoveReplies([.. reloaded.Select(record => record.WireId)]);
        core.Journal.Prepend(ops);
        (core.Tasks.Done, core.Tasks.Dead) = (stored.Done, stored.Dead);
        core.Report(new StoreRolledBack(lost.Count, reloaded.Count));
        admission.AddStoredTasks(reloaded, now);
    }
}
