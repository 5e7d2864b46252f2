using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>
/// What one server has stored, with the effect of each change as the Lua script of Mesh.Server/Storage has it, and the ways in which a write
/// can go wrong: without effect, with an effect but without an answer, with a late effect.
/// </summary>
internal sealed class SimStore(SimRedis redis, Coverage coverage, Mutation mutation)
{
    private readonly Dictionary<TaskId, TaskRecord> _tasks = [];
    private readonly Dictionary<string, TaskId> _ids = [];
    private readonly Dictionary<string, TaskRecord> _results = [];
    private readonly Dictionary<string, TaskRecord> _dead = [];
    private readonly Dictionary<WorkerId, LoanRecord> _loans = [];

    /// <summary>On its way to the store; whoever waits for it may have stopped waiting.</summary>
    private IReadOnlyList<StoreOp>? _underWay;
    private long _write;

    public SimRedis Redis { get; } = redis;

    public IReadOnlyDictionary<TaskId, TaskRecord> Tasks => _tasks;

    public IReadOnlyDictionary<string, TaskRecord> Results => _results;

    public IReadOnlyDictionary<string, TaskRecord> Dead => _dead;

    public IReadOnlyDictionary<WorkerId, LoanRecord> Loans => _loans;

    public bool Knows(TaskRecord task) =>
        _tasks.ContainsKey(task.WireId) || _ids.ContainsKey(task.Id) || _results.ContainsKey(task.Id) || _dead.ContainsKey(task.Id);

    public StoredState Load() => new()
    {
        Tasks = mutation == Mutation.TasksNotTakenUp ? [] : [.. _tasks.Values],
        Loans = mutation == Mutation.LoansNotTakenUp ? [] : [.. _loans.Values],
        Done = _results.Count,
        Dead = _dead.Count,
    };

    /// <summary>Writes as one round trip. Called once with the ids that were known, or with null when the outcome is unknown.</summary>
    public void Write(IReadOnlyList<StoreOp> ops, Action<IReadOnlySet<string>?> done)
    {
        // One connection, in order: what is still on its way arrives first.
        Arrive();
        _underWay = ops;
        var write = ++_write;
        var falls = Redis.Falls;
        var fate = Redis.Random.Chance(Redis.Trouble) ? Redis.Random.From(1, 3) : 0;
        switch (fate)
        {
            case 1:
                coverage.Count("store: write failed without effect");
                Redis.Scheduler.After(Redis.Delay(), () =>
                {
                    Forget(write);
                    done(null);
                });
                break;
            case 2:
                coverage.Count("store: write failed, effect late");
                Redis.Scheduler.After(Redis.Delay(), () => done(null));
                Redis.Scheduler.After(Redis.Random.Seconds(0, 3), () => Arrive(write));
                break;
            default:
                Redis.Scheduler.After(Redis.Delay(), () => Serve(write, falls, answerLost: fate == 3, done));
                break;
        }
    }

    /// <summary>The server is gone: what is on its way arrives, or never will.</summary>
    public void Abandon()
    {
        if (_underWay is not null && Redis.IsUp && Redis.Random.Chance(0.5))
        {
            coverage.Count("store: write of a dead server applied");
            Arrive();
        }

        _underWay = null;
    }

    private void Serve(long write, int falls, bool answerLost, Action<IReadOnlySet<string>?> done)
    {
        if (!Redis.IsUp || Redis.Falls != falls)
        {
            Forget(write);
            Redis.Scheduler.After(Redis.Random.Seconds(0.01, 2), () => done(null));
            return;
        }

        var known = Arrive(write);
        Redis.Scheduler.After(Redis.Delay(), () =>
        {
            var lost = answerLost || !Redis.IsUp || Redis.Falls != falls;
            coverage.Count("store: write applied, answer lost", lost ? 1 : 0);
            done(lost ? null : known);
        });
    }

    private void Forget(long write)
    {
        if (write == _write)
        {
            _underWay = null;
        }
    }

    private HashSet<string> Arrive(long? write = null)
    {
        var known = new HashSet<string>();
        if (_underWay is { } ops && (write is null || write == _write) && Redis.IsUp)
        {
            _underWay = null;
            foreach (var op in ops)
            {
                Apply(op, known);
            }
        }

        return known;
    }

    private void Apply(in StoreOp op, HashSet<string> known)
    {
        var task = op.Task!;
        switch (op.Kind)
        {
            case StoreOpKind.AcceptTask when !task.Keyed:
                _tasks[task.WireId] = task;
                break;
            case StoreOpKind.AcceptTask:
                if (_ids.TryGetValue(task.Id, out var owner) && owner == task.WireId)
                {
                    break;
                }

                if (mutation != Mutation.KeyAcceptedTwice && (_ids.ContainsKey(task.Id) || _results.ContainsKey(task.Id) || _dead.ContainsKey(task.Id)))
                {
                    known.Add(task.Id);
                    break;
                }

                _ids[task.Id] = task.WireId;
                _tasks[task.WireId] = task;
                break;
            case StoreOpKind.UpdateTask:
                if (_tasks.ContainsKey(task.WireId))
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
            case StoreOpKind.BuryTask:
                if (Take(task))
                {
                    _dead[task.Id] = task;
                }

                break;
            case StoreOpKind.ReviveTask:
                if (_dead.Remove(task.Id))
                {
                    _ids[task.Id] = task.WireId;
                    _tasks[task.WireId] = task;
                }
                else if (!_tasks.ContainsKey(task.WireId))
                {
                    known.Add(task.Id);
                }

                break;
            case StoreOpKind.DropTask:
                _tasks.Remove(task.WireId);
                if (_ids.TryGetValue(task.Id, out var holder) && holder == task.WireId)
                {
                    _ids.Remove(task.Id);
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
