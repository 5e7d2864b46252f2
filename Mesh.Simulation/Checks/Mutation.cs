using System.Collections.Frozen;
using System.Reflection;

namespace Mesh.Simulation;

/// <summary>
/// Deliberate mistakes that a server, a worker or a store could contain. The simulation makes them where a core or a shell meets the simulated world, so
/// production code does not contain them. A test requires that the lives find each mistake, and that it breaks the invariants that it names.
/// </summary>
public enum Mutation : byte
{
    None = 0,

    /// <summary>What should follow a write happens before it.</summary>
    [Breaks(Invariant.AckAfterStore)]
    ActBeforeStored,

    /// <summary>A write that failed is taken for done.</summary>
    [Breaks(Invariant.AckAfterStore, Invariant.AcceptedTasksSettle, Invariant.UpdateCountsOnce, Invariant.LoansEnd)]
    FailedWriteForgotten,

    /// <summary>The store takes writes from whoever had the claim once.</summary>
    [Breaks(Invariant.AckAfterStore, Invariant.AcceptedTasksSettle)]
    LeaseNotChecked,

    /// <summary>The store takes a write that a later one has overtaken.</summary>
    [Breaks(Invariant.AcceptedTasksSettle)]
    LateWriteApplied,

    /// <summary>A peer serves the tasks of a dead server without its claim, so that nobody tells it when that server is back.</summary>
    [Breaks(Invariant.OneServerPerTask, Invariant.AckAfterStore)]
    AdoptionWithoutLease,

    /// <summary>A peer keeps the claim of a server that is back.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.LoansEnd)]
    AdoptionNotReleased,

    /// <summary>A server does not find that its store has lost what it had acknowledged.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.LoansEnd)]
    LossNotNoticed,

    /// <summary>What the store has lost and the server still knows is not written again.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.AckAfterStore)]
    LossNotRepaired,

    /// <summary>A server that starts does not take up its tasks.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.AckAfterStore)]
    TasksNotLoaded,

    /// <summary>A server that starts does not take up its loans.</summary>
    [Breaks(Invariant.LoansEnd, Invariant.AckAfterStore)]
    LoansNotLoaded,

    /// <summary>The end of a loan is not stored.</summary>
    [Breaks(Invariant.LoansEnd, Invariant.AckAfterStore)]
    LoanEndNotStored,

    /// <summary>A lease never ends.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.LoansEnd)]
    LeaseNeverEnds,

    /// <summary>A worker that is gone keeps its tasks.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.LoansEnd, Invariant.BoundedMemory)]
    GoneWorkerKept,

    /// <summary>A server never forgets a worker that is gone. Its tasks end with their leases.</summary>
    [Breaks(Invariant.BoundedMemory, Invariant.LoansEnd)]
    GoneWorkerRemembered,

    /// <summary>A server forgets which worker has failed at a task.</summary>
    [Breaks(Invariant.RetriesGoElsewhere)]
    FailuresForgotten,

    /// <summary>A reset is taken for the end of what the worker sends: what was on its way is waited for.</summary>
    [Breaks(Invariant.LostDeliveriesReturn)]
    ResetTakenForClose,

    /// <summary>A worker that fails where others succeed gets its next task without a pause.</summary>
    [Breaks(Invariant.FailingWorkersPause)]
    PausesIgnored,

    /// <summary>Such a worker is never set aside.</summary>
    [Breaks(Invariant.FailingWorkersPause)]
    NeverSetAside,

    /// <summary>When a write of unknown outcome is put back to be written again, changes are dropped that nothing replaces.</summary>
    [Breaks(Invariant.AckAfterStore, Invariant.LoansEnd)]
    UnwrittenChangesDropped,

    /// <summary>The ledger does not remember which updates it has made.</summary>
    [Breaks(Invariant.UpdateCountsOnce)]
    UpdateNotMarked,

    /// <summary>An update is given up without asking the ledger whether it was made.</summary>
    [Breaks(Invariant.UpdateCountsOnce)]
    DeadLetteredUnchecked,

    /// <summary>The ledger is asked, and forgets that the task is closed.</summary>
    [Breaks(Invariant.UpdateCountsOnce)]
    CloseNotMarked,

    /// <summary>A key that is known is accepted again.</summary>
    [Breaks(Invariant.UpdateCountsOnce)]
    KeyAcceptedTwice,

    /// <summary>An owner lends all it has.</summary>
    [Breaks(Invariant.MinimumKept)]
    MinimumIgnored,

    /// <summary>A worker leaves for another server with its tasks still running.</summary>
    [Breaks(Invariant.OneHolderPerWorker)]
    LeavesWithTasks,

    /// <summary>A worker that leaves a task behind which goes on takes those of the next server beside it.</summary>
    [Breaks(Invariant.OneHolderPerWorker)]
    AbandonedForgotten,

    /// <summary>RETURN never reaches a worker.</summary>
    [Breaks(Invariant.LoansEnd, Invariant.AllWorkersAtHome)]
    ReturnNotSent,

    /// <summary>A borrowed worker waits for its borrower for ever.</summary>
    [Breaks(Invariant.AllWorkersAtHome, Invariant.AcceptedTasksSettle)]
    BorrowerNeverGivenUp,

    /// <summary>COMMAND_RELEASE is not repeated.</summary>
    [Breaks(Invariant.LoansEnd, Invariant.BoundedMemory)]
    ReleaseNotRepeated,

    /// <summary>What a worker handles is not looked at.</summary>
    [Breaks(Invariant.OnlyHandledTypes)]
    TypesIgnored,

    /// <summary>A server is not told of closed connections.</summary>
    [Breaks(Invariant.BoundedMemory)]
    CloseNotReported,

    /// <summary>An idle get_task is answered at once.</summary>
    [Breaks(Invariant.EveryWorkerServes)]
    PollNotHeld,

    /// <summary>A server wakes each second whether there is anything to do or not.</summary>
    [Breaks(Invariant.NoIdleTraffic)]
    NeedlessWakeups,

    /// <summary>The timer of a server fires, and its core is not told.</summary>
    [Breaks(Invariant.CoresDoNotFail)]
    TimeNotTold,
}

/// <summary>Names what a mutation breaks.</summary>
/// <param name="invariant">The invariant that must be broken.</param>
/// <param name="others">Invariants that may be broken first in some lives.</param>
[AttributeUsage(AttributeTargets.Field)]
public sealed class BreaksAttribute(Invariant invariant, params Invariant[] others) : Attribute
{
    public Invariant Invariant { get; } = invariant;

    public IReadOnlyList<Invariant> Others { get; } = others;
}

/// <summary>What each mutation breaks.</summary>
public static class MutationTable
{
    private static readonly FrozenDictionary<Mutation, BreaksAttribute> Breaks = Enum.GetValues<Mutation>()
        .Where(mutation => mutation != Mutation.None)
        .ToFrozenDictionary(mutation => mutation, mutation => typeof(Mutation).GetField(mutation.ToString())!.GetCustomAttribute<BreaksAttribute>()
            ?? throw new InvalidOperationException($"{mutation} does not name the invariant that it breaks."));

    /// <summary>All mutations but <see cref="Mutation.None"/>.</summary>
    public static IReadOnlyCollection<Mutation> All => Breaks.Keys;

    /// <summary>The invariant that a mutation must break.</summary>
    public static Invariant BrokenBy(Mutation mutation) => Breaks[mutation].Invariant;

    /// <summary>Whether the first broken invariant of a life with a mutation may be this one.</summary>
    public static bool MayBreak(Mutation mutation, Invariant invariant) => BrokenBy(mutation) == invariant || Breaks[mutation].Others.Contains(invariant);
}
