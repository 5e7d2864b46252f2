using System.Globalization;
using System.Reflection;
using Mesh.Simulation;
using Mesh.Simulation.Checks;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Simulation;

/// <summary>
/// Lives of whole meshes. MESH_SEED replays one of them, with all of its steps; MESH_LIVES runs more of them than usual.
/// </summary>
[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Lives = 300;

    /// <summary>The lives from here contain all that <see cref="Expected"/> names, of which some are rare.</summary>
    private const long FirstSeed = 401;

    /// <summary>What a run that exercises the mesh must contain.</summary>
    private static readonly string[] Expected =
    [
        "loan: Owner Lent",
        "loan: Borrower Returned",
        "loan: Owner ended, the worker is home",
        "loan: Owner ended, the worker is back by itself",
        "loan: Owner ended, released before it left",
        "loan: Borrower ended, no RELEASE_COMPLETED in time",
        "task: put back",
        "task: put back, attempt not counted",
        "retry: by another worker",
        "retry: by the same worker, for want of another",
        "sick worker: fails at once",
        "sick worker: never answers",
        "server: WorkerPaused",
        "server: WorkerSetAside",
        "server: WorkerReinstated",
        "sick worker: given a task after a pause",
        "reset: a task was not received",
        "task: void closed it",
        "task: put back after its timeout",
        "running: goes on",
        "running: resumed",
        "running: told to cancel",
        "cancel: Cancelled",
        "cancel: Requested",
        "cancel: Unknown",
        "cancel: StoreUnavailable",
        "cancel: dead letter, Cancelled",
        "cancel: the task is Cancelled",
        "cancel: the task is Done",
        "server: TaskCancelled",
        "worker: AttemptCancelled",
        "worker: abandons a task and has other slots",
        "worker: abandons a task and has no other slot",
        "power loss: a cancel lost",
        "end: tasks cancelled",
        "task: void found it applied",
        "server: ACK of an end",
        "server: ACK of an end without TASK_ID",
        "server: ACK of an attempt",
        "server: ACK of an attempt without TASK_ID",
        "server: TaskDeadLettered",
        "server: peer dead",
        "worker: BorrowerAbandoned",
        "worker: AttemptsAbandoned",
        "worker: RedirectRefused",
        "foreign server: lends",
        "foreign server: borrows",
        "foreign worker: redirected",
        "foreign worker: returned",
        "store: write applied, answer lost",
        "store: call made, answer lost",
        "store: write overtaken by the next",
        "store: write failed, effect late",
        "store: write refused, a later one was there before",
        "store: write of a dead server applied",
        "store: write refused, another has the claim",
        "frozen server: Accepted",
        "frozen server: found its place taken",
        "server: waits for its claim",
        "power loss: tasks lost",
        "power loss: tasks unsettled again",
        "power loss: tasks kept by a living server",
        "power loss: marks lost",
        "power loss: a living server mended its store",
        "mute server: asked",
        "adoption: adopted",
        "adoption: wanted back",
        "network: line reply lost",
        "network: line message late",
        "client: StoreUnavailable",
        "client: Full",
        "client: Paused",
        "operator: workers are returned",
        "schedule: fired",
        "schedule: times skipped",
        "schedule: fired for an adopted server",
        "schedule: time written again",
        "schedule: nothing is overdue",
        "client: schedule put, Accepted",
        "client: schedule put, Unknown",
        "client: schedule deleted, Accepted",
        "client: schedule deleted at the end",
        "end: dead letters",
        "follow-up: returned by a handler",
        "follow-up: returned by the handler of a follow-up",
        "follow-up: given out",
        "store: follow-ups written, outcome unknown",
        "end: follow-ups",
        "schedule: a delayed task given out",
        "schedule: a task given out whose time had passed",
        "schedule: delayed tasks taken up at a start",
        "adoption: delayed tasks",
        "power loss: delayed tasks kept or loaded",
        "priority: a task overtook an earlier one",
        "priority: a task came before one of a higher priority",
        "retry: refused by the worker",
        "retry: delayed by the worker",
        "task: attempt at a REPORT",
        "loan: requested for some types",
        "loan: requested for a type that no worker handles",
        "loan: released to an owner with a longer queue",
        "loan: released to give way",
        "fault: ChangePeers",
        "server: PeerConfigured",
        "server: PeerLeaving",
        "server: PeerRemoved",
        "dead letters: deleted, complete",
        "dead letters: deleted, no answer",
        "dead letters: deleted",
        "dead letters: retried, complete",
        "dead letters: retried, no answer",
        "dead letters: retried, StoreUnavailable",
        "dead letters: retried",
        "dead letters: a page against an adopter",
        "dead letters: a retried one given out",
        "dead letters: the answer leaves out some that were changed",
        "dead letters: the store does not answer",
    ];

    [Fact]
    public void Simulation_WithFaults_KeepsEveryInvariant()
    {
        if (Environment.GetEnvironmentVariable("MESH_SEED") is { } seed)
        {
            var life = SimulationRun.Run(long.Parse(seed, CultureInfo.InvariantCulture), logCapacity: 1_000_000);
            output.WriteLine($"{life.Plan}{Environment.NewLine}{life.Coverage}");
            Assert.True(life.Broken is null, life.ToString());
            return;
        }

        var lives = Environment.GetEnvironmentVariable("MESH_LIVES") is { } more ? int.Parse(more, CultureInfo.InvariantCulture) : Lives;
        var summary = SimulationBatch.Run(FirstSeed, lives, cancellation: TestContext.Current.CancellationToken);
        output.WriteLine($"{summary.Coverage}{Environment.NewLine}{summary.Steps:N0} steps, idle after {summary.LongestTimeToIdle.TotalSeconds:0} s at most");

        Assert.True(summary.Failed == 0, $"{summary.Failed} of {lives} lives failed.{Environment.NewLine}{string.Join(Environment.NewLine, summary.Failures)}");
        Assert.DoesNotContain(Expected, what => summary.Coverage[what] == 0);
    }

    [Fact]
    public void Simulation_SameSeed_IsDeterministic()
    {
        for (var seed = 100; seed < 110; seed++)
        {
            var (first, second) = (SimulationRun.Run(seed, digest: true), SimulationRun.Run(seed, digest: true));
            Assert.Equal((first.Digest, first.Steps), (second.Digest, second.Steps));
        }
    }

    /// <summary>Lives with a mutation break the invariant that it names, within the number of lives, and no invariant that it does not name.</summary>
    [Theory]
    [InlineData(Mutation.ActBeforeStored, 5)]
    [InlineData(Mutation.FailedWriteForgotten, 20)]
    [InlineData(Mutation.LeaseNotChecked, 100)]
    [InlineData(Mutation.LateWriteApplied, 300)]
    [InlineData(Mutation.AdoptionWithoutLease, 400)]
    [InlineData(Mutation.AdoptionNotReleased, 300)]
    [InlineData(Mutation.LossNotNoticed, 40)]
    [InlineData(Mutation.LossNotRepaired, 200)]
    [InlineData(Mutation.TasksNotLoaded, 20)]
    [InlineData(Mutation.LoansNotLoaded, 20)]
    [InlineData(Mutation.LoanEndNotStored, 10)]
    [InlineData(Mutation.LeaseNeverEnds, 40)]
    [InlineData(Mutation.GoneWorkerKept, 40)]
    [InlineData(Mutation.GoneWorkerRemembered, 60)]
    [InlineData(Mutation.FailuresForgotten, 20)]
    [InlineData(Mutation.ResetTakenForClose, 60)]
    [InlineData(Mutation.PausesIgnored, 60)]
    [InlineData(Mutation.NeverSetAside, 200)]
    [InlineData(Mutation.UnwrittenChangesDropped, 100)]
    [InlineData(Mutation.UpdateNotMarked, 10)]
    [InlineData(Mutation.DeadLetteredUnchecked, 10)]
    [InlineData(Mutation.CloseNotMarked, 60)]
    [InlineData(Mutation.KeyAcceptedTwice, 10)]
    [InlineData(Mutation.MinimumIgnored, 10)]
    [InlineData(Mutation.LeavesWithTasks, 100)]
    [InlineData(Mutation.AbandonedForgotten, 100)]
    [InlineData(Mutation.ReturnNotSent, 10)]
    [InlineData(Mutation.BorrowerNeverGivenUp, 200)]
    [InlineData(Mutation.ReleaseNotRepeated, 50)]
    [InlineData(Mutation.TypesIgnored, 20)]
    [InlineData(Mutation.CloseNotReported, 20)]
    [InlineData(Mutation.PollNotHeld, 10)]
    [InlineData(Mutation.NeedlessWakeups, 20)]
    [InlineData(Mutation.TimeNotTold, 5)]
    [InlineData(Mutation.FollowUpsPartlyStored, 20)]
    [InlineData(Mutation.FollowUpsStoredFirst, 200)]
    [InlineData(Mutation.SchedulesNotLoaded, 20)]
    [InlineData(Mutation.LastFiredNotLoaded, 60)]
    [InlineData(Mutation.DelayNotLoaded, 40)]
    [InlineData(Mutation.PrioritiesDoNotAge, 10)]
    [InlineData(Mutation.RetryRequestsIgnored, 20)]
    [InlineData(Mutation.TypeMinimumIgnored, 20)]
    [InlineData(Mutation.RequestedTypesIgnored, 20)]
    [InlineData(Mutation.HysteresisIgnored, 20)]
    [InlineData(Mutation.UnservedTypesNotRequested, 400)]
    [InlineData(Mutation.CancelledTaskKept, 20)]
    [InlineData(Mutation.CancelRequestNotLoaded, 400)]
    [InlineData(Mutation.TimeoutsIgnored, 100)]
    [InlineData(Mutation.MissingDeadLetterRetried, 200)]
    [InlineData(Mutation.MissingDeadLetterCounted, 200)]
    [InlineData(Mutation.DeadLetterTypeIgnored, 20)]
    [InlineData(Mutation.DeadLettersMiscounted, 20)]
    [InlineData(Mutation.OwnerLoadIgnored, 100)]
    [InlineData(Mutation.WorkersMiscounted, 5)]
    public void Mutation_BreaksTheInvariantThatItNames(Mutation mutation, int within, int firstSeed = 1)
    {
        // As many lives at a time as there are cores, looked at in the order of their seeds.
        var lives = Enumerable.Range(firstSeed, within)
            .Chunk(Environment.ProcessorCount)
            .SelectMany(seeds => seeds.AsParallel().AsOrdered().Select(seed => SimulationRun.Run(seed, logCapacity: 1, mutation: mutation)));
        foreach (var life in lives)
        {
            if (life.Broken is not { } broken)
            {
                continue;
            }

            output.WriteLine($"{mutation} breaks {broken} in life {life.Seed}: {life.Detail}");
            Assert.True(MutationTable.MayBreak(mutation, broken), $"{mutation} breaks {broken} in life {life.Seed}, which it does not name: {life.Detail}");
            if (broken == MutationTable.BrokenBy(mutation))
            {
                return;
            }
        }

        Assert.Fail($"{mutation} does not break {MutationTable.BrokenBy(mutation)} within {within} lives from seed {firstSeed}");
    }

    [Fact]
    public void Mutations_TakenTogether_BreakEveryInvariant() =>
        Assert.Empty(Enum.GetValues<Invariant>().Except(MutationTable.All.Select(MutationTable.BrokenBy)));

    [Fact]
    public void Mutations_AreAllTested()
    {
        var tested = typeof(SimulationTests).GetMethod(nameof(Mutation_BreaksTheInvariantThatItNames))!.GetCustomAttributes<InlineDataAttribute>().Select(data => (Mutation)data.Data[0]!);
        Assert.Empty(MutationTable.All.Except(tested));
    }
}
