using System.Collections.Frozen;
using System.Reflection;

namespace Mesh.Simulation.Checks;

/// <summary>
/// Deliberate mistakes that a server, a worker or a store could contain. The simulation makes them where a core or a shell meets the simulated world, so
/// production code does not contain them. A test requires that the lives find each mistake, and that it breaks the invariants that it names.
/// </summary>
public enum Mutation : byte
{
    None = 0,

    /// <summary>The effects that must follow a write are performed before it.</summary>
    [Breaks(Invariant.AckAfterStore)]
    ActBeforeStored,

    /// <summary>A failed write is taken as successful.</summary>
    [Breaks(Invariant.AckAfterStore, Invariant.AcceptedTasksSettle, Invariant.UpdateCountsOnce, Invariant.LoansEnd)]
    FailedWriteForgotten,

    /// <summary>The store accepts writes from a former holder of the lease.</summary>
    [Breaks(Invariant.AckAfterStore, Invariant.AcceptedTasksSettle)]
    LeaseNotChecked,

    /// <summary>The store applies a write that arrives after a later one.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.AckAfterStore, Invariant.LoansEnd)]
    LateWriteApplied,

    /// <summary>A peer serves the tasks of a dead server without the lease, so that it does not notice when that server is back.</summary>
    [Breaks(Invariant.OneServerPerTask, Invariant.AckAfterStore, Invariant.AcceptedTasksSettle, Invariant.FollowUpsOnce, Invariant.SchedulesFire, Invariant.ScheduleTimesFireOnce)]
    AdoptionWithoutLease,

    /// <summary>A peer does not release the lease of a server that is back.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.LoansEnd, Invariant.SchedulesFire)]
    AdoptionNotReleased,

    /// <summary>A server does not detect that its store has lost acknowledged changes.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.LoansEnd)]
    LossNotNoticed,

    /// <summary>A server does not write again what its store has lost.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.AckAfterStore, Invariant.UpdateCountsOnce)]
    LossNotRepaired,

    /// <summary>A server that starts does not load its tasks.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.AckAfterStore)]
    TasksNotLoaded,

    /// <summary>A server that starts does not load its loans.</summary>
    [Breaks(Invariant.LoansEnd, Invariant.AckAfterStore)]
    LoansNotLoaded,

    /// <summary>The end of a loan is not stored.</summary>
    [Breaks(Invariant.LoansEnd, Invariant.AckAfterStore)]
    LoanEndNotStored,

    /// <summary>A lease never ends.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.LoansEnd)]
    LeaseNeverEnds,

    /// <summary>A worker that is gone keeps its tasks, and is never forgotten.</summary>
    [Breaks(Invariant.AcceptedTasksSettle, Invariant.LoansEnd, Invariant.BoundedMemory)]
    GoneWorkerKept,

    /// <summary>A server never forgets a worker that is gone. Its tasks end with their leases.</summary>
    [Breaks(Invariant.BoundedMemory, Invariant.LoansEnd, Invariant.AllWorkersAtHome)]
    GoneWorkerRemembered,

    /// <summary>A server forgets which workers have failed at a task.</summary>
    [Breaks(Invariant.RetriesGoElsewhere)]
    FailuresForgotten,

    /// <summary>A reset of a connection is handled like an orderly close, so that lost tasks are waited for.</summary>
    [Breaks(Invariant.LostDeliveriesReturn)]
    ResetTakenForClose,

    /// <summary>A worker that fails at tasks that others do gets its next task without a pause.</summary>
    [Breaks(Invariant.FailingWorkersPause)]
    PausesIgnored,

    /// <summary>A worker that fails at tasks that others do is never set aside.</summary>
    [Breaks(Invariant.FailingWorkersPause)]
    NeverSetAside,

    /// <summary>After a write of unknown outcome some of its changes are not written again.</summary>
    [Breaks(Invariant.AckAfterStore, Invariant.LoansEnd)]
    UnwrittenChangesDropped,

    /// <summary>The ledger does not mark the updates that it has applied.</summary>
    [Breaks(Invariant.UpdateCountsOnce)]
    UpdateNotMarked,

    /// <summary>An update becomes a dead letter although the ledger was not asked whether it was applied.</summary>
    [Breaks(Invariant.UpdateCountsOnce)]
    DeadLetteredUnchecked,

    /// <summary>The ledger closes a task without marking it.</summary>
    [Breaks(Invariant.UpdateCountsOnce)]
    CloseNotMarked,

    /// <summary>A known key is accepted again.</summary>
    [Breaks(Invariant.UpdateCountsOnce, Invariant.FollowUpsOnce)]
    KeyAcceptedTwice,

    /// <summary>An owner lends all its workers.</summary>
    [Breaks(Invariant.MinimumKept, Invariant.TypeMinimumKept)]
    MinimumIgnored,

    /// <summary>A worker goes to another server while its tasks run.</summary>
    [Breaks(Invariant.OneHolderPerWorker)]
    LeavesWithTasks,

    /// <summary>A worker counts the slot of an abandoned task as free while its handler continues.</summary>
    [Breaks(Invariant.SlotsKept)]
    AbandonedForgotten,

    /// <summary>RETURN is never sent to a worker.</summary>
    [Breaks(Invariant.LoansEnd, Invariant.AllWorkersAtHome)]
    ReturnNotSent,

    /// <summary>A borrowed worker waits for its borrower without a limit.</summary>
    [Breaks(Invariant.AllWorkersAtHome, Invariant.AcceptedTasksSettle)]
    BorrowerNeverGivenUp,

    /// <summary>COMMAND_RELEASE is not repeated.</summary>
    [Breaks(Invariant.LoansEnd, Invariant.BoundedMemory)]
    ReleaseNotRepeated,

    /// <summary>The types that a worker handles are ignored.</summary>
    [Breaks(Invariant.OnlyHandledTypes)]
    TypesIgnored,

    /// <summary>A server is not told of closed connections.</summary>
    [Breaks(Invariant.BoundedMemory)]
    CloseNotReported,

    /// <summary>A get_task is answered at once when there is no task.</summary>
    [Breaks(Invariant.EveryWorkerServes)]
    PollNotHeld,

    /// <summary>A server wakes each second even if there is nothing to do.</summary>
    [Breaks(Invariant.NoIdleTraffic)]
    NeedlessWakeups,

    /// <summary>The core of a server is not called when its timer fires.</summary>
    [Breaks(Invariant.CoresDoNotFail)]
    TimeNotTold,

    /// <summary>Of several tasks that a task submits with its result, only the first is stored.</summary>
    [Breaks(Invariant.FollowUpsOnce)]
    FollowUpsPartlyStored,

    /// <summary>The tasks that a task submits with its result are stored in a write of their own, before its result.</summary>
    [Breaks(Invariant.FollowUpsOnce)]
    FollowUpsStoredFirst,

    /// <summary>A server that starts or adopts another one does not load the schedules.</summary>
    [Breaks(Invariant.SchedulesFire)]
    SchedulesNotLoaded,

    /// <summary>A server that starts or adopts another one does not load the last times of the schedules.</summary>
    [Breaks(Invariant.ScheduleTimesFireOnce)]
    LastFiredNotLoaded,

    /// <summary>The time of a delayed task is not loaded with it.</summary>
    [Breaks(Invariant.NothingRunsEarly)]
    DelayNotLoaded,

    /// <summary>Waiting time does not make up for a lower priority.</summary>
    [Breaks(Invariant.WaitingTimesAreBounded)]
    PrioritiesDoNotAge,

    /// <summary>RETRY and RETRY_AFTER of workers are ignored.</summary>
    [Breaks(Invariant.RetriesAreAsRequested, Invariant.AckAfterStore)]
    RetryRequestsIgnored,

    /// <summary>An owner keeps its minimum only for the requested types of a worker, not for the others that it handles.</summary>
    [Breaks(Invariant.TypeMinimumKept)]
    TypeMinimumIgnored,

    /// <summary>An owner lends any worker, whatever types are requested.</summary>
    [Breaks(Invariant.LentForItsTypes)]
    RequestedTypesIgnored,

    /// <summary>A server returns workers as soon as it needs fewer, and borrows them again at once.</summary>
    [Breaks(Invariant.LoansPaced)]
    HysteresisIgnored,

    /// <summary>A server requests workers only while its queue is above the high mark, also for types that no worker here handles.</summary>
    [Breaks(Invariant.AcceptedTasksSettle)]
    UnservedTypesNotRequested,

    /// <summary>The store keeps a task that was cancelled among the unsettled ones.</summary>
    [Breaks(Invariant.CancelledTasksStop, Invariant.AcceptedTasksSettle)]
    CancelledTaskKept,

    /// <summary>A server that starts or adopts does not load that a running task was cancelled.</summary>
    [Breaks(Invariant.CancelledTasksStop)]
    CancelRequestNotLoaded,

    /// <summary>A server ignores the timeouts of tasks.</summary>
    [Breaks(Invariant.TimeoutsEndAttempts)]
    TimeoutsIgnored,

    /// <summary>The store accepts the retry of a dead letter that was deleted or retried meanwhile.</summary>
    [Breaks(Invariant.DeletedDeadLettersStayDeleted, Invariant.UpdateCountsOnce, Invariant.FollowUpsOnce)]
    MissingDeadLetterRetried,

    /// <summary>The store does not report the dead letters to delete that do not exist.</summary>
    [Breaks(Invariant.DeadLetterRequestsAreExact)]
    MissingDeadLetterCounted,

    /// <summary>The store returns the dead letters of all types, whatever type is requested.</summary>
    [Breaks(Invariant.DeadLetterRequestsAreExact)]
    DeadLetterTypeIgnored,

    /// <summary>The store does not return the number of dead letters after a write.</summary>
    [Breaks(Invariant.DeadLettersCounted)]
    DeadLettersMiscounted,

    /// <summary>A borrower does not consider the loads of the owners when it decides which workers to release.</summary>
    [Breaks(Invariant.BorrowersGiveWay)]
    OwnerLoadIgnored,

    /// <summary>A worker at home that has sent a get_task is counted again among those that are not set aside.</summary>
    [Breaks(Invariant.WorkersCounted)]
    WorkersMiscounted,
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
