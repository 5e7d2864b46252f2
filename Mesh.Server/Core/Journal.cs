using Mesh.Protocol;

namespace Mesh.Server.Core;

internal enum AfterStoreKind : byte
{
    /// <summary>A submission's tasks are stored: queue them and answer it.</summary>
    Accepted = 1,

    /// <summary>A task's result is stored: forget the task.</summary>
    Settled,

    /// <summary>A dead letter is stored: forget the task.</summary>
    Buried,

    /// <summary>A message may go out.</summary>
    Reply,

    /// <summary>Loans are stored: answer AVAILABLE and send the workers off.</summary>
    Offered,

    /// <summary>What had been stored of a submission is dropped again: answer it with its conflict.</summary>
    Withdrawn,
}

/// <summary>What follows once a batch is stored.</summary>
internal readonly record struct AfterStore(AfterStoreKind Kind)
{
    public Submission? Submission { get; init; }

    public IReadOnlyList<TaskEntry> Tasks { get; init; } = [];

    /// <summary>Tasks of earlier submissions, not yet accepted, that this submission has again.</summary>
    public IReadOnlyList<TaskEntry> Repeated { get; init; } = [];

    public TaskEntry? Task { get; init; }

    public IReadOnlyList<Loan> Loans { get; init; } = [];

    public SessionId Session { get; init; }

    public MeshMessage? Message { get; init; }

    /// <summary>True for a submission whose write was tried and failed.</summary>
    public bool MayBeStored { get; init; }
}

/// <summary>Changes to the store, written together in order, and what follows once they are stored.</summary>
internal sealed class StoreBatch
{
    public List<StoreOp> Ops { get; } = [];

    internal List<AfterStore> Then { get; } = [];
}

/// <summary>Gathers changes while a write is under way: group commit. Batches are written one after the other.</summary>
internal sealed class Journal
{
    private StoreBatch _open = new();

    public bool IsEmpty => _open.Ops.Count == 0 && _open.Then.Count == 0;

    /// <summary>Takes what has gathered, or null when there is nothing. One batch may be under way at a time; one without ops counts as stored at once.</summary>
    public StoreBatch? TryTake()
    {
        if (IsEmpty)
        {
            return null;
        }

        var batch = _open;
        _open = new StoreBatch();
        return batch;
    }

    internal void Add(StoreOp op) => _open.Ops.Add(op);

    internal void Then(in AfterStore after) => _open.Then.Add(after);

    /// <summary>A reply that goes out once all that was added so far is stored.</summary>
    internal void Reply(SessionId session, MeshMessage message) =>
        Then(new AfterStore(AfterStoreKind.Reply) { Session = session, Message = message });

    /// <summary>Changes that come before all that has gathered.</summary>
    internal void AddAhead(IEnumerable<StoreOp> ops) => _open.Ops.InsertRange(0, ops);

    /// <summary>The tasks that are being dropped.</summary>
    internal HashSet<TaskId> Dropped() => [.. _open.Ops.Where(op => op.Kind == StoreOpKind.DropTask).Select(op => op.Task!.WireId)];

    /// <summary>
    /// Puts a batch of unknown outcome back to be written again, ahead of what has gathered since. New tasks are not among it:
    /// their submissions come back to be refused, and what may have been written of them is dropped.
    /// </summary>
    /// <param name="failed">The batch.</param>
    /// <param name="refusesRevivals">True to refuse those of dead letters as well; what may have been written of them stays.</param>
    internal List<AfterStore> PutBack(StoreBatch failed, bool refusesRevivals = false)
    {
        var merged = new StoreBatch();
        var refused = new List<AfterStore>();
        foreach (var op in failed.Ops.Where(op => !refusesRevivals || op.Kind != StoreOpKind.ReviveTask))
        {
            merged.Ops.Add(op.Kind == StoreOpKind.AcceptTask ? op with { Kind = StoreOpKind.DropTask } : op);
        }

        foreach (var op in _open.Ops)
        {
            if (op.Kind != StoreOpKind.AcceptTask && !(refusesRevivals && op.Kind == StoreOpKind.ReviveTask))
            {
                merged.Ops.Add(op);
            }
        }

        foreach (var after in failed.Then.Select(after => after with { MayBeStored = !refusesRevivals }).Concat(_open.Then))
        {
            if (after.Kind == AfterStoreKind.Accepted && (refusesRevivals || !after.Submission!.Revive))
            {
                refused.Add(after);
            }
            else
            {
                merged.Then.Add(after);
            }
        }

        _open = merged;
        return refused;
    }
}
