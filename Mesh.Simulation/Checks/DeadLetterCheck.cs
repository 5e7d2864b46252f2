using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Stores;

namespace Mesh.Simulation.Checks;

/// <summary>Checks the requests of clients that retry and delete dead letters.</summary>
internal sealed class DeadLetterCheck(SimWorld world)
{
    /// <summary>The dead letters whose deletion is stored, with the server that stored them, their client id and the time.</summary>
    private readonly Dictionary<TaskId, (ServerNode Owner, string Id, TimeSpan At)> _deleted = [];

    /// <summary>The client ids of all dead letters that were ever deleted.</summary>
    private readonly HashSet<(ServerNode Owner, string Id)> _deletedIds = [];

    /// <summary>The deletions that a store has made. Compared by reference, because several requests can name one dead letter.</summary>
    private readonly HashSet<TaskRecord> _deletions = new(ReferenceEqualityComparer.Instance);

    /// <summary>The tasks that a store has accepted as retries.</summary>
    private readonly HashSet<TaskId> _retries = [];

    /// <summary>The dead letter from which a client has made a task to retry it, by this task.</summary>
    private readonly Dictionary<TaskId, TaskId> _origins = [];

    /// <summary>Whether an accepted task may be missing, because its dead letter was deleted.</summary>
    public bool IsDeleted(ServerNode server, string id) => _deletedIds.Contains((server, id));

    /// <summary>Called before a client retries a dead letter.</summary>
    /// <param name="retry">The new task.</param>
    public void OnRetry(TaskId dead, TaskId retry) => _origins[retry] = dead;

    /// <summary>Returns the dead letters that a request at a server must change, those of a type or all. A store that has lost writes can have dead letters that the server has retried.</summary>
    public IReadOnlyList<TaskRecord> Existing(ServerNode server, TaskType? type) =>
        world.DataLossTracker.IsStoreStale(server) ? [] : [.. server.Store.Dead.Values.Where(dead => type is null || dead.Type == type)];

    /// <summary>Called when a request for all dead letters is complete.</summary>
    /// <param name="existing">The dead letters that existed when it began.</param>
    public static void OnCompleted(ServerNode server, IReadOnlyList<TaskRecord> existing)
    {
        if (existing.FirstOrDefault(dead => IsDead(server, dead.Id, dead.WireId)) is { } left)
        {
            throw new InvariantViolation(Invariant.DeadLetterRequestsAreExact, $"{server.Name} answers that all dead letters are changed, and {left.WireId} is not");
        }
    }

    /// <summary>Called before a page of a request for all dead letters is submitted.</summary>
    /// <param name="type">The requested type, or null for all.</param>
    public static void OnPage(TaskType? type, Submission page)
    {
        if (page.Tasks.FirstOrDefault(task => type is not null && task.Type != type) is { } other)
        {
            throw new InvariantViolation(Invariant.DeadLetterRequestsAreExact, $"a request for {type} changes {other.WireId}, which is a {other.Type}");
        }
    }

    /// <summary>Called when the store of a server has changed a dead letter.</summary>
    public void OnChanged(ServerNode owner, StoreOp op)
    {
        var task = op.Task!;
        switch (op.Kind)
        {
            case StoreOpKind.DeleteDeadLetter:
                _deletions.Add(task);
                _deletedIds.Add((owner, task.Id));
                _deleted[task.WireId] = (owner, task.Id, world.Scheduler.Now);
                break;
            case StoreOpKind.RetryDeadLetter:
                _retries.Add(task.WireId);
                break;
            default:
                throw new InvalidOperationException($"{op.Kind} does not change a dead letter.");
        }
    }

    /// <summary>Called when a server answers a request that retries or deletes dead letters.</summary>
    public void OnAnswer(ServerNode server, Submission submission, SubmitOutcome outcome)
    {
        var isDeletion = submission.IsDeadLetterDeletion;
        if (isDeletion && outcome is SubmitOutcome.Accepted or SubmitOutcome.NotDead && !world.DataLossTracker.IsStoreStale(server)
            && submission.Tasks.FirstOrDefault(task => server.MayServe(task.StoredBy) && IsDead(StoredBy(server, task), task.Id, task.WireId)) is { } kept)
        {
            throw new InvariantViolation(Invariant.AckAfterStore, $"{server.Name} answers that {kept.WireId} is deleted, and that is not stored");
        }

        var changed = submission.Tasks.Count(task => isDeletion ? _deletions.Contains(task) : _retries.Contains(task.WireId));
        if (submission.Count > changed)
        {
            throw new InvariantViolation(
                Invariant.DeadLetterRequestsAreExact, $"{server.Name} answers that {submission.Count} dead letters are {(isDeletion ? "deleted" : "retried")} of {string.Join(", ", submission.Tasks.Select(task => $"{task.WireId} at {task.StoredBy?.Value ?? server.Name}"))}, and {changed} are");
        }

        world.Coverage.Count("dead letters: the answer leaves out some that were changed", submission.Count < changed ? 1 : 0);
    }

    /// <summary>Called when a task is sent to a worker.</summary>
    public void OnDispatch(ServerNode server, TaskEntry task)
    {
        var isRetry = _origins.TryGetValue(task.Id, out var dead);
        world.Coverage.Count("dead letters: a retried one given out", isRetry ? 1 : 0);
        if (_deleted.ContainsKey(isRetry ? dead : task.Id) && !world.FollowUpCheck.MayBeSubmittedAgain(isRetry ? dead : task.Id))
        {
            throw new InvariantViolation(Invariant.DeletedDeadLettersStayDeleted, $"{server.Name} gives out {task.Id}, which was deleted");
        }
    }

    /// <summary>Called when the store of a server has lost writes. Forgets the deletions that are lost.</summary>
    public void ForgetLost(ServerNode owner)
    {
        foreach (var (task, (_, id, at)) in _deleted.Where(deleted => deleted.Value.Owner == owner).ToList())
        {
            // The store can have lost the acceptance of a follow-up too. Its parent runs again, and submits it with the same TASK_ID.
            if (owner.Store.Tasks.ContainsKey(task) || IsDead(owner, id, task) || world.Scheduler.Now - at <= SimRedis.FsyncInterval)
            {
                world.Coverage.Count("power loss: a deletion lost");
                _deleted.Remove(task);
            }
        }
    }

    /// <summary>Checks the stored tasks at rest, and the numbers of dead letters.</summary>
    public void Check()
    {
        foreach (var server in world.Servers.Where(server => server.Core is not null))
        {
            if (server.Core!.GetStatus().Dead is var counted && counted != server.Store.Dead.Count)
            {
                throw new InvariantViolation(Invariant.DeadLettersCounted, $"{server.Name} counts {counted} dead letters, and stores {server.Store.Dead.Count}");
            }
        }

        foreach (var (task, (owner, id, _)) in _deleted)
        {
            if ((owner.Store.Tasks.ContainsKey(task) || IsDead(owner, id, task)) && !world.FollowUpCheck.MayBeSubmittedAgain(task))
            {
                throw new InvariantViolation(Invariant.DeletedDeadLettersStayDeleted, $"{owner.Name} stores {task}, which was deleted");
            }
        }
    }

    private static bool IsDead(ServerNode owner, string id, TaskId task) => owner.Store.Dead.TryGetValue(id, out var dead) && dead.WireId == task;

    private ServerNode StoredBy(ServerNode server, TaskRecord task) =>
        task.StoredBy is { } adopted ? world.Servers.Find(other => other.Name == adopted.Value)! : server;
}
