using Mesh.Protocol;

namespace Mesh.Accounts;

/// <summary>
/// The accounts of the whole mesh. A store that can't be reached surfaces as its client's exception
/// (<see cref="RedisErrorClassifier.IsStoreUnavailable"/>): then nothing is known about the call's effect, and repeating it is safe.
/// Users and amounts must satisfy <see cref="AccountRules"/>, else the call throws <see cref="ArgumentException"/>.
/// </summary>
public interface ILedger
{
    /// <summary>The user's balance, or null for an unknown user.</summary>
    ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default);

    /// <summary>Creates the account or overwrites its balance, zero or more; true when it was created.</summary>
    ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default);

    /// <summary>
    /// Adds the amount, negative or not, on behalf of a task, once: a repeated call with the same task changes nothing and answers the same.
    /// </summary>
    ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default);

    /// <summary>
    /// Closes a task that is given up: <see cref="LedgerOutcome.Closed"/> when its update was not applied and now never will be,
    /// or <see cref="LedgerOutcome.Applied"/> with the balance when it was applied before.
    /// </summary>
    ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default);

    /// <summary>
    /// The task's end is stored: what became of it need not be remembered for longer than an attempt may still come. Does not wait; nothing depends on it but the store's memory.
    /// </summary>
    void Settled(string user, TaskId task);
}
