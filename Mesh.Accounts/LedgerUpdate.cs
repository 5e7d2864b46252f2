namespace Mesh.Accounts;

/// <summary>What became of an update.</summary>
public enum LedgerOutcome : byte
{
    /// <summary>Added, now or in an earlier attempt of the same task.</summary>
    Applied = 1,

    /// <summary>There is no such account; a later attempt may find it.</summary>
    UnknownUser = 2,

    /// <summary>The balance would go below zero; a later attempt may find it larger.</summary>
    BelowZero = 3,

    /// <summary>The balance would pass what can be stored, about 9.2 * 10^14.</summary>
    TooLarge = 4,

    /// <summary>The task was given up before (<see cref="ILedger.CloseAsync"/>).</summary>
    Closed = 5,
}

/// <summary>The outcome, and for <see cref="LedgerOutcome.Applied"/> the balance right after the update.</summary>
public readonly record struct LedgerUpdate(LedgerOutcome Outcome, decimal? Balance = null);
