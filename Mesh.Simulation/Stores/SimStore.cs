using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>What one server has stored, with the effect of each change and of a claim as the Lua scripts of Mesh.Server/Storage have it.</summary>
internal sealed class SimStore(SimRedis redis, Mutation mutation)
{
    /// <summary>A claim that is not renewed for so long is free.</summary>
    public static readonly TimeSpan ClaimExpiry = TimeSpan.FromSeconds(5);

    private readonly Dictionary<TaskId, TaskRecord> _tasks = [];
    private readonly Dictionary<string, TaskId> _ids = [];
    private readonly Dictionary<string, TaskRecord> _results = [];
    private readonly Dictionary<string, TaskRecord> _dead = [];
    private readonly Dictionary<WorkerId, LoanRecord> _loans = [];
    private TimeSpan _claimedUntil;

    public SimRedis Redis { get; } = redis;

    public IReadOnlyDictionary<TaskId, TaskRecord> Tasks => _tasks;

    public IReadOnlyDictionary<string, TaskRecord> Results => _results;

    public IReadOnlyDictionary<string, TaskRecord> Dead => _dead;

    public IReadOnlyDictionary<WorkerId, LoanRecord> Loans => _loans;

    /// <summary>Who may write: the process that took the claim last.</summary>
    public long Epoch { get; private set; }

    public TimeSpan ClaimedAt { get; private set; }

    /// <summary>The owner waits for its adopter to give the claim up.</summary>
    public bool IsWanted { get; private set; }

    /// <summary>The new epoch, or null when somebody else has the claim.</summary>
    /// <param name="byOwner">False for an adopter.</param>
    /// <param name="holderIsGone">The holder is known to be gone: its claim need not expire.</param>
    public long? TryClaim(bool byOwner, bool holderIsGone)
    {
        if (_claimedUntil > Redis.Scheduler.Now && !holderIsGone)
        {
            IsWanted |= byOwner;
            return null;
        }

        (_claimedUntil, ClaimedAt, IsWanted) = (Redis.Scheduler.Now + ClaimExpiry, Redis.Scheduler.Now, false);
        return ++Epoch;
    }

    /// <summary>False when another has the claim.</summary>
    public bool Renew(long epoch)
    {
        _claimedUntil = MayWrite(epoch) ? Redis.Scheduler.Now + ClaimExpiry : _claimedUntil;
        return MayWrite(epoch);
    }

    public void Release(long epoch) => _claimedUntil = MayWrite(epoch) ? TimeSpan.Zero : _claimedUntil;

    public bool MayWrite(long epoch) => epoch == Epoch || mutation == Mutation.ClaimNotChecked;

    public bool Knows(TaskRecord task) =>
        _tasks.ContainsKey(task.WireId) || _ids.ContainsKey(task.Id) || _results.ContainsKey(task.Id) || _dead.ContainsKey(task.Id);

    public StoredState Load() => new()
    {
        Tasks = mutation == Mutation.TasksNotTakenUp ? [] : [.. _tasks.Values],
        Loans = mutation == Mutation.LoansNotTakenUp ? [] : [.. _loans.Values],
        Done = _results.Count,
        Dead = _dead.Count,
    };

    public void Apply(in StoreOp op, HashSet<string> known)
    {
        var task = op.Task is { Keeper: not null } adopted ? adopted with { Keeper = null } : op.Task!;
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
                    known.Add(op.Task!.KnownAs);
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
                    known.Add(op.Task!.KnownAs);
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
