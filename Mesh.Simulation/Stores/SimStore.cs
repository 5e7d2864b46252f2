using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
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
    private readonly SimTable<string, ScheduleRecord> _schedules = new(redis);

    public SimRedis Redis { get; } = redis;

    public SimServerLease Lease { get; } = new(redis, mutation);

    public IReadOnlyDictionary<TaskId, TaskRecord> Tasks => _tasks.Rows;

    public IReadOnlyDictionary<string, TaskRecord> Results => _results.Rows;

    public IReadOnlyDictionary<string, TaskRecord> Dead => _dead.Rows;

    public IReadOnlyDictionary<WorkerId, LoanRecord> Loans => _loans.Rows;

    public IReadOnlyDictionary<string, ScheduleRecord> Schedules => _schedules.Rows;

    /// <summary>Called when a change to a schedule has been applied.</summary>
    public Action<StoreOp>? ScheduleWritten { get; set; }

    /// <summary>Called when a dead letter was retried or deleted.</summary>
    public Action<StoreOp>? DeadLetterChanged { get; set; }

    public bool Contains(TaskRecord task) =>
        _tasks.Contains(task.WireId) || _ids.Contains(task.Id) || _results.Contains(task.Id) || _dead.Contains(task.Id);

    /// <summary>Reads the state. Each reader gets records of its own, as from Redis.</summary>
    public StoredState Load() => new()
    {
        Tasks = mutation == Mutation.TasksNotLoaded ? []
            : mutation == Mutation.DelayNotLoaded ? [.. _tasks.Rows.Values.Select(task => task with { NotBefore = null })]
            : mutation == Mutation.CancelRequestNotLoaded ? [.. _tasks.Rows.Values.Select(task => task with { IsCancelRequested = null })]
            : [.. _tasks.Rows.Values.Select(task => task with { })],
        Loans = mutation == Mutation.LoansNotLoaded ? [] : [.. _loans.Rows.Values],
        Schedules = mutation == Mutation.SchedulesNotLoaded ? []
            : mutation == Mutation.LastFiredNotLoaded ? [.. _schedules.Rows.Values.Select(schedule => schedule with { LastFired = null })]
            : [.. _schedules.Rows.Values],
        Done = _results.Rows.Values.Count(task => task.State == TaskState.Done),
        Dead = _dead.Rows.Count,
        LastDeadSequence = _dead.Rows.Values.Select(task => task.Sequence).DefaultIfEmpty().Max(),
    };

    public void Apply(in StoreOp op, Dictionary<string, TaskRecord?> known)
    {
        var task = op.Task is { StoredBy: not null } adopted ? adopted with { StoredBy = null } : op.Task!;
        switch (op.Kind)
        {
            case StoreOpKind.AcceptTask when !task.Keyed:
                _tasks[task.WireId] = task;
                break;
            case StoreOpKind.PutSchedule:
                if (op.Task is not null)
                {
                    Apply(op with { Kind = StoreOpKind.AcceptTask, Schedule = null }, known);
                }

                var schedule = op.Schedule! with { StoredBy = null };
                _schedules[schedule.Name] = schedule;
                ScheduleWritten?.Invoke(op);
                break;
            case StoreOpKind.DropSchedule:
                _schedules.Remove(op.Schedule!.Name);
                ScheduleWritten?.Invoke(op);
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
                Settle(task, op.Then ?? [], known);

                break;
            case StoreOpKind.MoveTaskToDeadLetters:
                if (Take(task))
                {
                    _dead[task.Id] = task;
                }

                break;
            case StoreOpKind.RetryDeadLetter:
                if (_dead.Remove(task.Id) || (mutation == Mutation.MissingDeadLetterRetried && !_tasks.Contains(task.WireId)))
                {
                    _ids[task.Id] = task.WireId;
                    _tasks[task.WireId] = task;
                    DeadLetterChanged?.Invoke(op);
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
            case StoreOpKind.CancelTask:
                if (mutation == Mutation.CancelledTaskKept ? _tasks.Contains(task.WireId) : Take(task))
                {
                    _results[task.Id] = task;
                }

                break;
            case StoreOpKind.DeleteDeadLetter:
                if (_dead.TryGet(task.Id, out var letter) && letter.WireId == task.WireId)
                {
                    _dead.Remove(task.Id);
                    DeadLetterChanged?.Invoke(op);
                }
                else if (mutation != Mutation.MissingDeadLetterCounted)
                {
                    known[StoreOp.MissingDeadLetterKey(task.WireId)] = null;
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

    /// <summary>Stores tasks that another task submits with its result.</summary>
    public void Accept(IReadOnlyList<TaskRecord> then)
    {
        foreach (var next in then.Select(next => next with { StoredBy = null }))
        {
            if (next.Id != next.WireId.Value)
            {
                _ids[next.Id] = next.WireId;
            }

            _tasks[next.WireId] = next;
        }
    }

    private void Settle(TaskRecord task, IReadOnlyList<TaskRecord> then, Dictionary<string, TaskRecord?> known)
    {
        var isUnsettled = _tasks.Contains(task.WireId);
        var fresh = new List<TaskRecord>();
        foreach (var next in then.Where(next => !_tasks.Contains(next.WireId)))
        {
            if (!isUnsettled || Find(next.Id) is not null)
            {
                known[next.ExistingTaskKey] = isUnsettled ? Find(next.Id) : null;
            }
            else
            {
                fresh.Add(next);
            }
        }

        Accept(mutation == Mutation.FollowUpsPartlyStored ? [.. fresh.Take(1)] : fresh);
        if (Take(task))
        {
            _results[task.Id] = task;
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
