using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Persistence;

/// <summary>Collects changes to the store while a batch is being written (group commit). One batch is written at a time.</summary>
internal sealed class Journal
{
    private readonly HashSet<SessionId> _closed = [];
    private StoreBatch _open = new();

    /// <summary>
    /// The replies that wait while the store is unavailable, else null. Workers and peers repeat a message until it is answered, and each repeated message is answered once.
    /// </summary>
    private HashSet<(SessionId Session, object DeduplicationKey, int Attempt)>? _waiting;

    public bool IsEmpty => _open.Ops.Count == 0 && _open.Continuations.Count == 0;

    /// <summary>The number of changes and continuations in the open batch.</summary>
    public int Count => _open.Ops.Count + _open.Continuations.Count;

    /// <summary>
    /// Takes the open batch, or returns null when it is empty. The caller must not take another batch before this one is stored or has failed. A batch without changes
    /// counts as stored without a write.
    /// </summary>
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

    /// <summary>Adds a reply. It is sent when all changes that were added before it are stored.</summary>
    /// <param name="deduplicationKey">
    /// The subject of the reply. While the store is unavailable, a session gets one reply for each subject and attempt. Null for a reply that is always sent.
    /// </param>
    /// <param name="attempt">The number of the task's attempt.</param>
    internal void Reply(SessionId session, MeshMessage message, object? deduplicationKey = null, int attempt = 0)
    {
        if (deduplicationKey is null || _waiting?.Add((session, deduplicationKey, attempt)) != false)
        {
            AddContinuation(new StoreContinuation(StoreContinuationKind.Reply) { Session = session, Message = message, DeduplicationKey = deduplicationKey, Attempt = attempt });
        }
    }

    /// <summary>Called when a batch is stored. Messages that are repeated later get a new reply.</summary>
    internal void OnStored()
    {
        _waiting = null;
        _closed.Clear();
    }

    /// <summary>Called when a connection closes. While the store is unavailable, waiting replies to it are removed.</summary>
    internal void OnSessionClosed(SessionId session)
    {
        if (_waiting is not null)
        {
            _closed.Add(session);
        }
    }

    /// <summary>Inserts changes before all others of the open batch.</summary>
    internal void Prepend(IEnumerable<StoreOp> ops) => _open.Ops.InsertRange(0, ops);

    /// <summary>Removes the replies about tasks whose settlement the store has lost. They would acknowledge a result that is not stored.</summary>
    internal void RemoveReplies(HashSet<TaskId> tasks) =>
        _open.Continuations.RemoveAll(after => after is { Kind: StoreContinuationKind.Reply, DeduplicationKey: TaskEntry task } && tasks.Contains(task.Id));

    /// <summary>Removes the changes to schedules of the adopted servers for which the function returns true.</summary>
    internal void RemoveSchedules(Predicate<ServerId> isRemoved) => _open.Ops.RemoveAll(op => op.Schedule?.StoredBy is { } server && isRemoved(server));

    /// <summary>The tasks that the open batch drops.</summary>
    internal HashSet<TaskId> TasksToDrop() => [.. _open.Ops.Where(op => op.Kind == StoreOpKind.DropTask).Select(op => op.Task!.WireId)];

    /// <summary>
    /// Puts a batch whose write failed before the open batch, so that both are written together. The write may have been applied. New tasks of the failed batch are dropped
    /// from the store, and the acceptances of new tasks in both batches are returned. Superseded changes, repeated replies and replies to closed connections are removed, so
    /// that the size of the batch does not grow with the time that the store is unavailable.
    /// </summary>
    /// <param name="rejectsDeadLetterRetries">True to return the retries of dead letters too. The store keeps the ones that it may have written.</param>
    /// <returns>The acceptances whose submissions the caller must refuse, and the requests to cancel whose outcome is unknown.</returns>
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
            else if (after.Cancel is not null)
            {
                // The client repeats the request. Its change is written again, because the core has made it.
                refused.Add(after);
                if (after.Kind == StoreContinuationKind.DeadLetterDeleted)
                {
                    merged.Continuations.Add(after with { Cancel = null });
                }
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

    /// <summary>Removes the changes that a later change supersedes. Each change writes or deletes a whole record.</summary>
    private static void RemoveSuperseded(List<StoreOp> ops)
    {
        var (loans, tasks, schedules) = (new HashSet<WorkerId>(), new HashSet<TaskId>(), new HashSet<(ServerId?, string)>());
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
                case StoreOpKind.PutSchedule or StoreOpKind.DropSchedule:
                    // A change with a task is kept for its task.
                    isReplaced = !schedules.Add((op.Schedule!.StoredBy, op.Schedule.Name)) && op.Task is null;
                    break;
                case StoreOpKind.UpdateTask:
                    isReplaced = !tasks.Add(op.Task!.WireId);
                    break;
                case StoreOpKind.SettleTask or StoreOpKind.MoveTaskToDeadLetters or StoreOpKind.DropTask or StoreOpKind.CancelTask:
                    tasks.Add(op.Task!.WireId);
                    break;
                case StoreOpKind.AcceptTask or StoreOpKind.RetryDeadLetter or StoreOpKind.RestoreTask or StoreOpKind.DeleteDeadLetter:
                    break;
                default:
                    throw new InvalidOperationException($"Store change {op.Kind} is unknown.");
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
