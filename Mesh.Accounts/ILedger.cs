using Mesh.Protocol;

namespace Mesh.Accounts;

/// <summary>
/// The accounts of the whole mesh. When the store is unavailable, a call throws the exception of its client
/// (<see cref="RedisErrorClassifier.IsStoreUnavailable"/>). The effect of the call is then unknown, and repeating the call is safe.
/// A call throws <see cref="ArgumentException"/> when the user or the amount does not satisfy <see cref="AccountRules"/>.
/// </summary>
public interface ILedger
{
    /// <summary>Returns the balance of a user, or null for an unknown user.</summary>
    ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default);

    /// <summary>Creates an account or overwrites its balance, which must not be negative. Returns true when the account was created.</summary>
    ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default);

    /// <summary>
    /// Adds an amount, which may be negative, on behalf of a task. A task's amount is added once: a repeated call with the same task changes nothing and returns the same.
    /// </summary>
    ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default);

    /// <summary>
    /// Closes a task that is given up. Returns <see cref="LedgerOutcome.Closed"/> when its update was not applied and can no longer be applied,
    /// or <see cref="LedgerOutcome.Applied"/> with the balance when it was applied before.
    /// </summary>
    ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default);

    /// <summary>
    /// Called when the end of a task is stored. Shortens the retention of its outcome to the time in which another attempt may still arrive. Does not wait. A failure only costs memory.
    /// </summary>
    void Settled(string user, TaskId task);
}
