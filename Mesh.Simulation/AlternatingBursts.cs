using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;

namespace Mesh.Simulation;

/// <summary>The result of <see cref="AlternatingBursts"/>.</summary>
/// <param name="Broken">How an invariant was broken, or null.</param>
/// <param name="MostLoansPerMinute">The largest number of loans that one owner began within a minute.</param>
/// <param name="Bound">The bound of docs/operations.md, "How many loans".</param>
/// <param name="Loans">The number of loans of both owners.</param>
/// <param name="Tasks">The number of submitted tasks.</param>
public sealed record AlternatingBurstsReport(Invariant? Broken, string Detail, int MostLoansPerMinute, int Bound, int Loans, int Tasks)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Loans} loans for {Tasks} tasks, {MostLoansPerMinute} in a minute at most, {Bound} allowed. {Broken} {Detail}");
}

/// <summary>
/// Two servers without faults that get bursts of tasks in turn, around and above their high marks, with pauses of a few seconds, so that a server borrows when the other has just
/// been idle. The number of loans per minute must stay below its bound.
/// </summary>
public static class AlternatingBursts
{
    private const int Workers = 5;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>The rate of a clock is up to 0.5 % wrong, so that a minute of the servers is shorter than one of the simulation.</summary>
    private const double ClockTolerance = 0.99;

    /// <param name="roundsLimit">True for settings with which the time between rounds limits the loans. False for settings with which ReleaseAfter does.</param>
    public static AlternatingBurstsReport Run(long seed, TimeSpan duration, Mutation mutation = Mutation.None, bool roundsLimit = false)
    {
        var seeds = new Seeds(seed);
        var world = new SimWorld(Plan(roundsLimit), seeds, logCapacity: 1, digest: false, mutation);
        world.InvariantChecker.Loans.ChecksPause = false;
        var load = new Load(world, seeds.For("bursts"), duration);
        var check = new IdleCheck(world);
        InvariantViolation? violation = null;
        try
        {
            foreach (var node in world.Nodes)
            {
                node.Start();
            }

            world.Scheduler.At(TimeSpan.FromSeconds(5), load.Burst);
            world.Scheduler.RunUntil(duration + Minute);
            if (check.FindRemainingWork() is { } unrest)
            {
                throw new InvariantViolation(unrest.Invariant, unrest.Detail);
            }

            CheckRate(world);
        }
        catch (InvariantViolation broken)
        {
            violation = broken;
        }
        finally
        {
            world.End();
        }

        return new AlternatingBurstsReport(
            violation?.Invariant,
            violation?.Message ?? "",
            world.InvariantChecker.Loans.Offers.Values.Select(MostPerMinute).DefaultIfEmpty().Max(),
            Bound(world.Servers[0].Settings),
            world.InvariantChecker.Loans.Offers.Values.Sum(times => times.Count),
            load.Submitted);
    }

    /// <summary>docs/operations.md, "How many loans": W × (1 + 60 s / C), where C is the longer of 2 × ReleaseAfter and LoadBalancerInterval.</summary>
    private static int Bound(ServerSettings settings)
    {
        var (balancing, timing) = (settings.Balancing, settings.Timing);
        var cycle = 2 * balancing.ReleaseAfter > timing.LoadBalancerInterval ? 2 * balancing.ReleaseAfter : timing.LoadBalancerInterval;
        return (int)((Workers - balancing.MinWorkersBeforeSharing) * (1 + (Minute / (cycle * ClockTolerance))));
    }

    private static void CheckRate(SimWorld world)
    {
        foreach (var (owner, times) in world.InvariantChecker.Loans.Offers)
        {
            if (MostPerMinute(times) is var most && most > Bound(owner.Settings))
            {
                throw new InvariantViolation(Invariant.LoansPaced, $"{owner.Name} lends {most} workers in a minute; {Bound(owner.Settings)} are allowed");
            }
        }
    }

    private static int MostPerMinute(List<TimeSpan> times)
    {
        var (most, first) = (0, 0);
        for (var last = 0; last < times.Count; last++)
        {
            while (times[last] - times[first] >= Minute)
            {
                first++;
            }

            most = Math.Max(most, last - first + 1);
        }

        return most;
    }

    private static SimulationPlan Plan(bool roundsLimit)
    {
        var settings = new ServerSettings
        {
            Id = default,
            Advertise = default,
            Peers = [],
            Timing = new TimingOptions { LoadBalancerInterval = TimeSpan.FromSeconds(roundsLimit ? 4 : 0.4) },
            Balancing = new BalancingOptions { ReleaseAfter = TimeSpan.FromSeconds(roundsLimit ? 0.1 : 2) },
        };
        WorkerPlan[] workers =
        [
            .. new[] { WorkloadTypes.All, WorkloadTypes.All, TaskTypeSet.Of(TaskType.Query), TaskTypeSet.Of(TaskType.Update), TaskTypeSet.Of(WorkloadTypes.Report) }
                .Select(types => new WorkerPlan(UsesLineFraming: false, Concurrency: 1, Refuses: false, types)),
        ];
        ServerPlan[] servers = [new(settings, OwnRedis: false, workers, ForeignWorkers: 0), new(settings, OwnRedis: false, workers, ForeignWorkers: 0)];
        return new SimulationPlan(servers, [], new WorkPlan(0.005, 0.05, 0, 0, 0), 0, 0, [], EverySecond: false) { AllowsDefects = false };
    }

    /// <summary>The clients of both servers.</summary>
    private sealed class Load(SimWorld world, Random random, TimeSpan end)
    {
        private int _turn;

        /// <summary>The pauses between the bursts, in seconds, and their size, in high marks. Both change with each phase.</summary>
        private double _pause;
        private int _size;
        private TimeSpan _nextPhase;

        public int Submitted { get; private set; }

        public void Burst()
        {
            if (world.Scheduler.Now >= end)
            {
                return;
            }

            var server = world.Servers[_turn++ % world.Servers.Count];
            if (world.Scheduler.Now >= _nextPhase)
            {
                _nextPhase = world.Scheduler.Now + random.Seconds(20, 40);
                (_pause, _size) = (random.From(0.5, 4), random.From(1, 6));
            }

            var count = server.Settings.Balancing.MaxQueueThreshold * _size + random.From(0, 10);
            server.Submit(new ClientSubmission([.. Enumerable.Range(0, count).Select(_ => NewTask(server))], isDeadLetterRetry: false, _ => { }));
            world.Scheduler.After(random.Seconds(_pause, _pause * 1.1), Burst);
        }

        private TaskRecord NewTask(ServerNode server)
        {
            var id = new TaskId(string.Create(CultureInfo.InvariantCulture, $"{server.Name}-{++Submitted}"));
            return random.Next(3) switch
            {
                0 => new TaskRecord(id.Value, id, TaskType.Query, "Maria", null, 0),
                1 => new TaskRecord(id.Value, id, TaskType.Update, "Joao", 1, 0),
                _ => new TaskRecord(id.Value, id, WorkloadTypes.Report, null, null, 0),
            };
        }
    }
}
