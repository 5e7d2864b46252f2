using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Stores;

/// <summary>The accounts of the mesh, with the marks that make an update count once, as in the scripts of Mesh.Accounts.</summary>
internal sealed class SimLedger(SimRedis redis, Mutation mutation)
{
    private readonly SimTable<string, decimal> _balances = new(redis);
    private readonly Dictionary<string, decimal> _start = [];

    /// <summary>The balance after the update, or null for a task that was closed.</summary>
    private readonly SimTable<(string User, TaskId Task), decimal?> _marks = new(redis);
    private readonly Dictionary<TaskId, decimal> _amounts = [];

    public SimRedis Redis { get; } = redis;

    public IReadOnlyDictionary<string, decimal> Balances => _balances.Rows;

    public IReadOnlyDictionary<string, decimal> Start => _start;

    public bool WasApplied(string user, TaskId task) => _marks.TryGet((user, task), out var mark) && mark is not null;

    public IEnumerable<(string User, TaskId Task)> Applied => _marks.Rows.Where(mark => mark.Value is not null).Select(mark => mark.Key);

    /// <summary>The tasks whose updates were applied or closed.</summary>
    public IEnumerable<(string User, TaskId Task)> Marked => _marks.Rows.Keys;

    /// <summary>The amount of an applied update.</summary>
    public decimal AmountOf(TaskId task) => _amounts[task];

    public void Open(string user, decimal balance)
    {
        _start[user] = balance;
        _balances[user] = balance;
    }

    public decimal? Find(string user) => _balances.TryGet(user, out var balance) ? balance : null;

    public LedgerUpdate Update(string user, decimal amount, TaskId task)
    {
        if (mutation != Mutation.UpdateNotMarked && _marks.TryGet((user, task), out var mark))
        {
            return mark is null ? new(LedgerOutcome.Closed) : new(LedgerOutcome.Applied, mark);
        }

        if (!_balances.TryGet(user, out var before))
        {
            return new(LedgerOutcome.UnknownUser);
        }

        if (before + amount < 0)
        {
            return new(LedgerOutcome.BelowZero);
        }

        _balances[user] = before + amount;
        _marks[(user, task)] = before + amount;
        _amounts[task] = amount;
        return new(LedgerOutcome.Applied, before + amount);
    }

    public LedgerUpdate Close(string user, TaskId task)
    {
        if (_marks.TryGet((user, task), out var mark) && mark is not null)
        {
            return new(LedgerOutcome.Applied, mark);
        }

        if (mutation != Mutation.CloseNotMarked)
        {
            _marks[(user, task)] = null;
        }

        return new(LedgerOutcome.Closed);
    }

    /// <summary>Makes one call over the network. <paramref name="done"/> is called once, with null when the call failed; it may have been applied nevertheless.</summary>
    public void Call<T>(Func<T> call, Action<T?> done)
        where T : struct
    {
        var stopCount = Redis.StopCount;
        var fate = Redis.Random.Chance(Redis.ErrorRate) ? Redis.Random.From(1, 3) : 0;
        Redis.Scheduler.After(Redis.Delay(), () =>
        {
            if (!Redis.IsUp || fate == 1)
            {
                Redis.Scheduler.After(Redis.Random.Seconds(0.01, 1), () => done(null));
                return;
            }

            if (fate == 2)
            {
                done(null);
                Redis.Scheduler.After(Redis.Random.Seconds(0, 3), () => _ = Redis.IsUp ? call() : default);
                return;
            }

            T? result = call();
            Redis.Scheduler.After(Redis.Delay(), () => done(fate == 3 || Redis.StopCount != stopCount ? null : result));
        });
    }
}
