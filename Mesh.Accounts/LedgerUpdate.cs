namespace Mesh.Accounts;

/// <summary>The outcome of an update.</summary>
public enum LedgerOutcome : byte
{
    /// <summary>The amount was added, now or in an earlier attempt of the same task.</summary>
    Applied = 1,

    /// <summary>The account does not exist. A later attempt may find it.</summary>
    UnknownUser = 2,

    /// <summary>The balance would be below zero. A later attempt may find a larger balance.</summary>
    BelowZero = 3,

    /// <summary>The balance would exceed the largest balance that can be stored, about 9.2 * 10^14.</summary>
    TooLarge = 4,

    /// <summary>The task was given up before (<see cref="ILedger.CloseAsync"/>).</summary>
    Closed = 5,
}

/// <summary>The outcome, and for <see cref="LedgerOutcome.Applied"/> the balance right after the update.</summary>
public readonly record struct LedgerUpdate(LedgerOutcome Outcome, decimal? Balance = null);
