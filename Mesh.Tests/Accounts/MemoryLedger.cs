using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Tests.Accounts;

/// <summary>A ledger in memory, for tests and simulations; marks never expire.</summary>
public sealed class MemoryLedger : ILedger
{
    private const decimal Largest = long.MaxValue / 10_000m;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, decimal> _balances = [];
    private readonly Dictionary<(string User, TaskId Task), LedgerUpdate> _marks = [];

    public ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return new(_balances.TryGetValue(user, out var balance) ? balance : null);
        }
    }

    public ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            var created = !_balances.ContainsKey(user);
            _balances[user] = balance;
            return new(created);
        }
    }

    public ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            if (_marks.TryGetValue((user, task), out var mark))
            {
                return new(mark);
            }

            if (!_balances.TryGetValue(user, out var balance))
            {
                return new(new LedgerUpdate(LedgerOutcome.UnknownUser));
            }

            if (balance + amount is < 0 or > Largest)
            {
                return new(new LedgerUpdate(balance + amount < 0 ? LedgerOutcome.BelowZero : LedgerOutcome.TooLarge));
            }

            _balances[user] = balance + amount;
            return new(_marks[(user, task)] = new(LedgerOutcome.Applied, balance + amount));
        }
    }

    public ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return new(_marks.TryGetValue((user, task), out var mark) ? mark : _marks[(user, task)] = new(LedgerOutcome.Closed));
        }
    }

    public void Settled(string user, TaskId task)
    {
        // The marks never expire.
    }
}
