using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Persistence;

/// <summary>Gathers changes while a write is under way: group commit. Batches are written one after the other.</summary>
internal sealed class Journal
{
    private readonly HashSet<SessionId> _closed = [];
    private StoreBatch _open = new();

    /// <summary>While the store is away, the replies that wait: others repeat what is not answered, for as long as that takes. Else null.</summary>
    private HashSet<(SessionId Session, object DeduplicationKey, int Attempt)>? _waiting;

    public bool IsEmpty => _open.Ops.Count == 0 && _open.Continuations.Count == 0;

    /// <summary>Changes and replies that wait to be taken.</summary>
    public int Count => _open.Ops.Count + _open.Continuations.Count;

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

    internal void AddContinuation(in StoreContinuation after) => _open.Continuations.Add(after);

    /// <summary>A reply that goes out once all that was added so far is stored.</summary>
    /// <param name="deduplicationKey">What it answers, so that a repeated message is answered once while the store is away.</param>
    /// <param name="attempt">The attempt at the task.</param>
    internal void Reply(SessionId session, MeshMessage message, object? deduplicationKey = null, int attempt = 0)
    {
        if (deduplicationKey is null || _waiting?.Add((session, deduplicationKey, attempt)) != false)
        {
            AddContinuation(new StoreContinuation(StoreContinuationKind.Reply) { Session = session, Message = message, DeduplicationKey = deduplicationKey, Attempt = attempt });
        }
    }

    /// <summary>A batch is stored, and its replies go out: a message that is repeated from here on is answered anew.</summary>
    internal void OnStored()
    {
        _waiting = null;
        _closed.Clear();
    }

    /// <summary>Replies to a closed connection need not be kept.</summary>
    internal void OnSessionClosed(SessionId session)
    {
        if (_waiting is not null)
        {
            _closed.Add(session);
        }
    }

    /// <summary>Changes that come before all that has gathered.</summary>
    internal void Prepend(IEnumerable<StoreOp> ops) => _open.Ops.InsertRange(0, ops);

    /// <summary>Removes the replies about tasks whose end the store has lost: they would acknowledge what is not stored.</summary>
    internal void RemoveReplies(HashSet<TaskId> tasks) =>
        _open.Continuations.RemoveAll(after => after is { Kind: StoreContinuationKind.Reply, DeduplicationKey: TaskEntry task } && tasks.Contains(task.Id));

    /// <summary>The tasks that are being dropped.</summary>
    internal HashSet<TaskId> TasksToDrop() => [.. _open.Ops.Where(op => op.Kind == StoreOpKind.DropTask).Select(op => op.Task!.WireId)];

    /// <summary>
    /// Puts a batch of unknown outcome back to be written again, ahead of what has gathered since. New tasks are not among it:
    /// their submissions come back to be refused, and what may have been written of them is dropped. Nor are changes that a later one replaces,
    /// repeated replies, and replies to closed connections: what waits does not grow with the time that the store is away.
    /// </summary>
    /// <param name="failed">The batch.</param>
    /// <param name="rejectsDeadLetterRetries">True to refuse those of dead letters as well; what may have been written of them stays.</param>
    internal List<StoreContinuation> RequeueFailed(StoreBatch failed, bool rejectsDeadLetterRetries = false)
    {
        var merged = new StoreBatch();
        var refused = new List<StoreContinuation>();
        foreach (var op in failed.Ops.Where(op => !rejectsDeadLetterRetries || op.Kind != StoreOpKind.RetryDeadLetter))
        {
            merged.Ops.Add(op.Kind == StoreOpKind.AcceptTask ? op with { Kind = StoreOpKind.DropTask } : op);
        }

        foreach (var op in _open.Ops)
        {
            if (op.Kind != StoreOpKind.AcceptTask && !(rejectsDeadLetterRetries && op.Kind == StoreOpKind.RetryDeadLetter))
            {
                merged.Ops.Add(op);
            }
        }

        RemoveSuperseded(merged.Ops);
        _waiting = [];
        foreach (var after in failed.Continuations.Select(after => after with { MayBeStored = !rejectsDeadLetterRetries }).Concat(_open.Continuations))
        {
            if (after.Kind == StoreContinuationKind.Accepted && (rejectsDeadLetterRetries || !after.Submission!.IsDeadLetterRetry))
            {
                refused.Add(after);
            }
            else if (after.Kind != StoreContinuationKind.Reply || ShouldKeep(after))
            {
                merged.Continuations.Add(after);
            }
        }

        _closed.Clear();
        _open = merged;
        return refused;
    }

    /// <summary>Removes changes that a later one makes void: each writes the whole record, or deletes it.</summary>
    private static void RemoveSuperseded(List<StoreOp> ops)
    {
        var (loans, tasks) = (new HashSet<WorkerId>(), new HashSet<TaskId>());
        var kept = ops.Count;
        for (var i = ops.Count - 1; i >= 0; i--)
        {
            var op = ops[i];
            var isReplaced = false;
            switch (op.Kind)
            {
                case StoreOpKind.PutLoan or StoreOpKind.DropLoan:
                    isReplaced = !loans.Add(op.Loan!.Worker);
                    break;
                case StoreOpKind.UpdateTask:
                    isReplaced = !tasks.Add(op.Task!.WireId);
                    break;
                case StoreOpKind.SettleTask or StoreOpKind.MoveTaskToDeadLetters or StoreOpKind.DropTask:
                    tasks.Add(op.Task!.WireId);
                    break;
                case StoreOpKind.AcceptTask or StoreOpKind.RetryDeadLetter or StoreOpKind.RestoreTask:
                    break;
                default:
                    throw new InvalidOperationException($"Unknown change {op.Kind}.");
            }

            if (!isReplaced)
            {
                ops[--kept] = op;
            }
        }

        ops.RemoveRange(0, kept);
    }

    private bool ShouldKeep(in StoreContinuation reply) =>
        !_closed.Contains(reply.Session) && (reply.DeduplicationKey is not { } deduplicationKey || _waiting!.Add((reply.Session, deduplicationKey, reply.Attempt)));
}
