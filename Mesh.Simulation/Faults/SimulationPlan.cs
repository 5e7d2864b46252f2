using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Simulation.Foreign;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Faults;

/// <summary>One of our servers and its workers.</summary>
/// <param name="OwnRedis">False when it shares the Redis of the ledger.</param>
internal sealed record ServerPlan(ServerSettings Settings, bool OwnRedis, IReadOnlyList<WorkerPlan> Workers, int ForeignWorkers);

/// <param name="Refuses">True when its policy refuses all borrowers.</param>
/// <param name="Types">The task types that it handles.</param>
internal sealed record WorkerPlan(bool UsesLineFraming, int Concurrency, bool Refuses, TaskTypeSet Types);

/// <summary>How handlers work.</summary>
/// <param name="Low">The shortest time of a task in seconds.</param>
/// <param name="High">The longest.</param>
/// <param name="Failing">The share of attempts that fail without a reason, before, during or after their work.</param>
/// <param name="IgnoresCancellation">The share of attempts that take long, and ignore their cancellation for a time.</param>
/// <param name="Long">The share of attempts that take longer than a task lease.</param>
internal sealed record WorkPlan(double Low, double High, double Failing, double IgnoresCancellation, double Long);

internal sealed record ForeignPlan(ForeignServerBehavior ForeignServerBehavior, int Workers, int LineWorkersOfOurs);

/// <summary>The plan of a life: the mesh and the faults, drawn from its seed.</summary>
/// <param name="EverySecond">True when the Redis processes flush their logs once a second, and can lose power.</param>
internal sealed record SimulationPlan(
    IReadOnlyList<ServerPlan> Servers,
    IReadOnlyList<ForeignPlan> Foreign,
    WorkPlan Work,
    int Bursts,
    int MaxBurst,
    IReadOnlyList<Fault> Faults,
    bool EverySecond)
{
    /// <summary>The time during which clients submit tasks and faults happen.</summary>
    public static TimeSpan BusyTime { get; } = TimeSpan.FromSeconds(60);

    /// <summary>False when no worker fails at its tasks.</summary>
    public bool AllowsDefects { get; init; } = true;

    public static SimulationPlan Draw(Seeds seeds)
    {
        var random = seeds.For("mesh");
        var servers = random.Chance(0.15) ? random.From(4, 7) : random.From(2, 3);
        var foreign = random.Chance(0.5) ? 0 : random.From(1, 2);
        var workers = servers > 4 ? 4 : 6;
        var (low, high) = DrawWorkTime(random);
        var power = seeds.For("power");
        var stubborn = seeds.For("stubborn");
        var operation = seeds.For("operator");
        var lengthy = seeds.For("long work");
        var everySecond = power.Chance(0.3);
        var work = new WorkPlan(low, high, random.Chance(0.5) ? 0 : random.From(0.01, 0.3), stubborn.Chance(0.3) ? stubborn.From(0.01, 0.1) : 0, lengthy.Chance(0.4) ? lengthy.From(0.005, 0.04) : 0);
        var plan = new SimulationPlan(
            [.. Enumerable.Range(0, servers).Select(_ => DrawServer(random, workers))],
            [.. Enumerable.Range(0, foreign).Select(_ => DrawForeign(random))],
            work,
            random.From(1, 6),
            work.High > 5 ? 12 : 70,
            [.. DrawFaults(seeds.For("faults")).Concat(DrawFollowUpFaults(seeds.For("follow-up faults"))).Concat(DrawDeadLetterFaults(seeds.For("dead letter faults"))).Concat(DrawPeerChanges(seeds.For("peer changes"))).Concat(everySecond ? DrawPowerLosses(power) : []).Concat(operation.Chance(0.3) ? DrawOperations(operation) : [])
                .OrderBy(fault => fault.At)],
            everySecond);
        return WorkerTypes.Draw(plan, seeds.For("types"));
    }

    public override string ToString() =>
        $"{Servers.Count} servers with {string.Join("+", Servers.Select(server => server.Workers.Count + server.ForeignWorkers))} workers, "
        + $"{Foreign.Count} foreign servers ({string.Join(", ", Foreign.Select(foreign => foreign.ForeignServerBehavior))}), {Faults.Count} faults{(EverySecond ? ", logs written out every second" : "")}";

    private static ServerPlan DrawServer(Random random, int maxWorkers)
    {
        var high = random.From(3, 15);
        var settings = new ServerSettings
        {
            Id = default,
            Advertise = default,
            Peers = [],
            Balancing = new BalancingOptions
            {
                MaxQueueThreshold = high,
                MinQueueThreshold = random.From(0, high - 1),
                MinWorkersBeforeSharing = random.From(0, 2),
                ReleaseAfter = random.Seconds(0.5, 3),
            },
            Tasks = new TasksOptions
            {
                LeaseTime = random.Seconds(5, 30),
                MaxAttempts = random.From(1, 4),
                Capacity = random.Chance(0.1) ? 50 : 100_000,
                WorkerGrace = random.Seconds(0.5, 6),
                LineWorkerTimeout = random.Seconds(10, 20),
            },
        };
        if (random.Chance(0.5))
        {
            // Short limits expire during the operations that they limit.
            settings = settings with
            {
                Timing = new TimingOptions { HeartbeatInterval = random.Seconds(2, 15), HeartbeatTimeout = random.Seconds(16, 40), HeartbeatRetryDelay = random.Seconds(0.5, 5), HeartbeatRetries = random.From(1, 3) },
                Loans = new LoansOptions
                {
                    ArrivalTimeout = random.Seconds(1, 30),
                    ReleaseRetryDelay = random.Seconds(0.5, 5),
                    ReleaseTries = random.From(2, 5),
                    ReturnTimeout = random.Seconds(2, 60),
                    BorrowerLostAfter = random.Seconds(5, 120),
                    MaxAge = random.Seconds(20, 600),
                },
            };
        }

        // The first worker accepts borrowers, so that there is a worker for each type.
        var workers = Enumerable.Range(0, random.From(2, maxWorkers)).Select(number => new WorkerPlan(
            random.Chance(0.2), random.Chance(0.6) ? 1 : random.From(2, 4), number > 0 && random.Chance(0.08), WorkloadTypes.All));
        return new ServerPlan(settings, random.Chance(0.5), [.. workers], random.Chance(0.3) ? random.From(1, 2) : 0);
    }

    private static ForeignPlan DrawForeign(Random random) => new(
        random.Chance(0.75) ? ForeignServerBehavior.Correct : random.Chance(0.5) ? ForeignServerBehavior.RandomMessage : ForeignServerBehavior.Unresponsive,
        random.From(1, 3),
        random.Chance(0.3) ? 1 : 0);

    private static (double Low, double High) DrawWorkTime(Random random) => random.NextDouble() switch
    {
        < 0.3 => (0, 0.02),
        < 0.7 => (0.1, 0.6),
        < 0.95 => (0.3, 2),
        _ => (1, 12),
    };

    private static IEnumerable<Fault> DrawPowerLosses(Random random) => Enumerable.Range(0, random.From(1, 4)).Select(_ => new Fault(
        random.Seconds(2, BusyTime.TotalSeconds), FaultKind.PowerLoss, random.Next(10_000), random.Next(10_000), Silent: true, random.Seconds(0.1, 8)));

    // Separate random numbers, so that lives without an operator do not change.
    private static IEnumerable<Fault> DrawOperations(Random random) => Enumerable.Range(0, random.From(1, 5)).Select(_ => new Fault(
        random.Seconds(2, BusyTime.TotalSeconds),
        random.Chance(0.4) ? FaultKind.PauseServer : FaultKind.ReturnLoans,
        random.Next(10_000),
        random.Next(10_000),
        Silent: false,
        random.Seconds(0.5, 20)));

    private static IEnumerable<Fault> DrawFollowUpFaults(Random random) => Enumerable.Range(0, random.Chance(0.3) ? random.From(1, 4) : 0).Select(_ => new Fault(
        random.Seconds(2, BusyTime.TotalSeconds / 2), FaultKind.KillServerDuringFollowUps, random.Next(10_000), random.Next(10_000), Silent: false, random.Seconds(0.1, 8)));

    private static IEnumerable<Fault> DrawDeadLetterFaults(Random random) => Enumerable.Range(0, random.Chance(0.5) ? random.From(2, 4) : 0).Select(_ => new Fault(
        random.Seconds(10, BusyTime.TotalSeconds), FaultKind.FaultDuringDeadLetterRequest, random.Next(10_000), random.Next(10_000), random.Chance(0.25), random.Seconds(0.1, 5)));

    private static IEnumerable<Fault> DrawPeerChanges(Random random) => Enumerable.Range(0, random.Chance(0.4) ? random.From(1, 6) : 0).Select(_ => new Fault(
        random.Seconds(2, BusyTime.TotalSeconds), FaultKind.ChangePeers, random.Next(10_000), random.Next(10_000), Silent: false, random.Chance(0.7) ? random.Seconds(0.05, 6) : random.Seconds(6, 50)));

    private static List<Fault> DrawFaults(Random random)
    {
        var count = random.NextDouble() switch
        {
            < 0.1 => 0,
            < 0.5 => random.From(1, 4),
            < 0.9 => random.From(5, 15),
            _ => random.From(16, 40),
        };
        FaultKind[] kinds = [.. Enum.GetValues<FaultKind>().Where(kind => kind is not (FaultKind.PowerLoss or FaultKind.PauseServer or FaultKind.ReturnLoans or FaultKind.KillServerDuringFollowUps or FaultKind.FaultDuringDeadLetterRequest or FaultKind.ChangePeers))];
        return [.. Enumerable.Range(0, count)
            .Select(_ => new Fault(
                random.Seconds(2, BusyTime.TotalSeconds),
                random.Pick(kinds),
                random.Next(10_000),
                random.Next(10_000),
                random.Chance(0.25),
                random.Chance(0.8) ? random.Seconds(0.1, 8) : random.Seconds(8, 60)))
            .OrderBy(fault => fault.At)];
    }
}
