using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Checks;

namespace Mesh.Simulation.Stores;

/// <summary>The stored state of one server. Changes and leases have the effects of the Lua scripts of Mesh.Server/Storage.</summary>
internal sealed class SimStore(SimRedis redis, Mutation mutation)
{
    /// <summary>A lease that is not renewed within this time expires.</summary>
    public static readonly TimeSpan LeaseExpiry = TimeSpan.FromSeconds(5);

    private readonly SimTable<TaskId, TaskRecord> _tasks = new(redis);
    private readonly SimTable<string, TaskId> _ids = new(redis);
    private readonly SimTable<string, TaskRecord> _results = new(redis);
    private readonly SimTable<string, TaskRecord> _dead = new(redis);
    private readonly SimTable<WorkerId, LoanRecord> _loans = new(redis);

    public SimRedis Redis { get; } = redis;

    public SimServerLease Lease { get; } = new(redis, mutation);

    public IReadOnlyDictionary<TaskId, TaskRecord> Tasks => _tasks.Rows;

    public IReadOnlyDictionary<string, TaskRecord> Results => _results.Rows;

    public IReadOnlyDictionary<string, TaskRecord> Dead => _dead.Rows;

    public IReadOnlyDictionary<WorkerId, LoanRecord> Loans => _loans.Rows;

    public bool Contains(TaskRecord task) =>
        _tasks.Contains(task.WireId) || _ids.Contains(task.Id) || _results.Contains(task.Id) || _dead.Contains(task.Id);

    public StoredState Load() => new()
    {
        Tasks = mutation == Mutation.TasksNotLoaded ? [] : [.. _tasks.Rows.Values],
        Loans = mutation == Mutation.LoansNotLoaded ? [] : [.. _loans.Rows.Values],
        Done = _results.Rows.Count,
        Dead = _dead.Rows.Count,
    };

    public void Apply(in StoreOp op, Dictionary<string, TaskRecord?> known)
    {
        var task = op.Task is { StoredBy: not null } adopted ? adopted with { StoredBy = null } : op.Task!;
        switch (op.Kind)
        {
            case StoreOpKind.AcceptTask when !task.Keyed:
                _tasks[task.WireId] = task;
                break;
            case StoreOpKind.AcceptTask:
                if (_ids.TryGet(task.Id, out var owner) && owner == task.WireId)
                {
                    break;
                }

                if (mutation != Mutation.KeyAcceptedTwice && Find(task.Id) is { } there)
                {
                    known[op.Task!.ExistingTaskKey] = there;
                    break;
                }

                _ids[task.Id] = task.WireId;
                _tasks[task.WireId] = task;
                break;
            case StoreOpKind.UpdateTask:
                if (_tasks.Contains(task.WireId))
                {
                    _tasks[task.WireId] = task;
                }

                break;
            case StoreOpKind.SettleTask:
                if (Take(task))
                {
                    _results[task.Id] = task;
                }

                break;
            case StoreOpKind.MoveTaskToDeadLetters:
                if (Take(task))
                {
                    _dead[task.Id] = task;
                }

                break;
            case StoreOpKind.RetryDeadLetter:
                if (_dead.Remove(task.Id))
                {
                    _ids[task.Id] = task.WireId;
                    _tasks[task.WireId] = task;
                }
                else if (!_tasks.Contains(task.WireId))
                {
                    known[op.Task!.ExistingTaskKey] = null;
                }

                break;
            case StoreOpKind.DropTask:
                _tasks.Remove(task.WireId);
                if (_ids.TryGet(task.Id, out var holder) && holder == task.WireId)
                {
                    _ids.Remove(task.Id);
                }

                break;
            case StoreOpKind.RestoreTask:
                if (!_results.Contains(task.Id))
                {
                    _dead.Remove(task.Id);
                    if (task.Id != task.WireId.Value)
                    {
                        _ids[task.Id] = task.WireId;
                    }

                    _tasks[task.WireId] = task;
                }

                break;
            case StoreOpKind.PutLoan:
                _loans[op.Loan!.Worker] = op.Loan;
                break;
            case StoreOpKind.DropLoan:
                _ = mutation != Mutation.LoanEndNotStored && _loans.Remove(op.Loan!.Worker);
                break;
            default:
                throw new InvalidOperationException($"Unknown change {op.Kind}.");
        }
    }

    private TaskRecord? Find(string id) =>
        _ids.TryGet(id, out var owner) && _tasks.TryGet(owner, out var unsettled) ? unsettled
        : _results.TryGet(id, out var done) ? done
        : _dead.TryGet(id, out var dead) ? dead
        : null;

    private bool Take(TaskRecord task)
    {
        if (!_tasks.Remove(task.WireId))
        {
            return false;
        }

        _ids.Remove(task.Id);
        return true;
    }
}
