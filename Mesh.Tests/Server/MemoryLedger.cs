using System.Collections.Concurrent;
using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Tests.Server;

/// <summary>Accounts without Redis, for tests of the server, which only opens, reads and closes.</summary>
internal sealed class MemoryLedger : ILedger
{
    private readonly ConcurrentDictionary<string, decimal> _balances = new();

    public ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default) =>
        new(_balances.TryGetValue(user, out var balance) ? balance : null);

    public ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default)
    {
        var created = _balances.TryAdd(user, balance);
        _balances[user] = balance;
        return new(created);
    }

    public ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default) =>
        throw new NotSupportedException();

    public ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default) =>
        new(new LedgerUpdate(LedgerOutcome.Closed));

    public ValueTask ReopenAsync(string user, TaskId task, CancellationToken cancellation = default) => default;
}
