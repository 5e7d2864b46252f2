using Mesh.Simulation.Checks;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Time;

namespace Mesh.Simulation;

/// <summary>The result of a life.</summary>
/// <param name="Broken">The invariant that was broken, or null.</param>
/// <param name="Detail">How it was broken.</param>
/// <param name="Plan">A description of the mesh and the faults, in one line.</param>
/// <param name="LastSteps">The last steps, as lines.</param>
/// <param name="TimeToIdle">The time from the end of the faults until the mesh was at rest.</param>
/// <param name="Digest">A hash of all steps, if it was requested.</param>
public sealed record SimulationReport(
    long Seed, Mutation Mutation, Invariant? Broken, string Detail, string Plan, IReadOnlyList<string> LastSteps, TimeSpan TimeToIdle, long Steps, ulong Digest, Coverage Coverage)
{
    /// <summary>The failure as it is printed: the last steps, the broken invariant and the command that replays the life.</summary>
    public override string ToString() => Broken is null ? $"seed {Seed}: all invariants held" : string.Join(Environment.NewLine, [
        $"The last steps of seed {Seed} ({Plan}):",
        .. LastSteps,
        "",
        $"{Broken} is broken: {Detail}",
        $"Replay: dotnet run --project Mesh.Bench -- simulate --seed {Seed}{(Mutation == Mutation.None ? "" : $" --mutation {Mutation}")}",
    ]);
}

/// <summary>Runs one life of a mesh: it starts, works while faults happen, and must come to rest after their end.</summary>
public static class SimulationRun
{
    /// <summary>After the end of the faults and the time of the last delayed task, all tasks must be settled and all workers at home within this time, not counted while a handler runs for longer than a task lease.</summary>
    public static TimeSpan IdleTimeout { get; } = TimeSpan.FromMinutes(10);

    /// <summary>The limit in any case. A worker that is set aside gets one task a minute, so failing tasks can take long to become dead letters, and a limited worker is not lent for ten minutes.</summary>
    public static TimeSpan LimitedIdleTimeout { get; } = TimeSpan.FromMinutes(30);

    /// <summary>Within this time the servers forget ended loans.</summary>
    private static readonly TimeSpan LoanCleanupTime = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan QuietTime = TimeSpan.FromMinutes(1);

    /// <param name="seed">The seed of all random numbers.</param>
    /// <param name="logCapacity">How many of the last steps are kept.</param>
    /// <param name="digest">True to hash all steps, which costs time.</param>
    /// <param name="mutation">A deliberate mistake, or none.</param>
    public static SimulationReport Run(long seed, int logCapacity = 200, bool digest = false, Mutation mutation = Mutation.None)
    {
        var seeds = new Seeds(seed);
        var plan = SimulationPlan.Draw(seeds);
        var world = new SimWorld(plan, seeds, logCapacity, digest, mutation);
        var timeToRest = TimeSpan.Zero;
        InvariantViolation? violation = null;
        try
        {
            timeToRest = Execute(world, plan, seeds);
        }
        catch (InvariantViolation broken)
        {
            violation = broken;
        }
        finally
        {
            world.End();
        }

        return new SimulationReport(
            seed,
            mutation,
            violation?.Invariant,
            violation is null ? "" : violation.Message + (violation.InnerException is { } inner ? Environment.NewLine + inner.StackTrace : ""),
            plan.ToString(),
            violation is null ? [] : world.Log.Last(),
            timeToRest,
            world.Scheduler.Steps,
            world.Log.Digest,
            world.Coverage);
    }

    private static TimeSpan Execute(SimWorld world, SimulationPlan plan, Seeds seeds)
    {
        var faults = new FaultInjector(world);
        var check = new IdleCheck(world);
        var foreignLoad = seeds.For("foreign load");
        foreach (var node in world.Nodes)
        {
            node.Start();
        }

        foreach (var client in world.Clients)
        {
            client.Begin(plan.Bursts);
        }

        foreach (var client in world.DeadLetterClients)
        {
            client.Begin();
        }

        foreach (var client in world.ScheduleClients)
        {
            client.Begin();
        }

        foreach (var foreign in world.ForeignServers)
        {
            world.Scheduler.At(foreignLoad.Seconds(5, 40), () => foreign.AddTasks(foreignLoad.From(0, 40)));
        }

        faults.Schedule(plan.Faults);
        world.Scheduler.RunUntil(SimulationPlan.BusyTime);
        faults.EndAllFaults();

        // A server that was told to stop ends within 30 s and is started again.
        world.Scheduler.RunUntil(SimulationPlan.BusyTime + TimeSpan.FromSeconds(35));
        var (lastDue, lastLimited, longWork) = (SimulationPlan.BusyTime, SimulationPlan.BusyTime, TimeSpan.Zero);
        while (check.FindRemainingWork() is { } unrest)
        {
            lastDue = world.Scheduler.Now + check.TimeUntilAllAreDue() is var due && due > world.Scheduler.Now ? due : lastDue;

            // The time starts again when a worker gets tasks as before. It may be the only one for a type.
            lastLimited = check.HasLimitedWorkers() ? world.Scheduler.Now : lastLimited;
            if (world.Scheduler.Now > lastDue + LimitedIdleTimeout || world.Scheduler.Now > (lastLimited > lastDue ? lastLimited : lastDue) + IdleTimeout + longWork)
            {
                throw new InvariantViolation(unrest.Invariant, unrest.Detail);
            }

            longWork += world.Workers.Exists(worker => worker.RunsLongAttempt) ? LookInterval : TimeSpan.Zero;
            world.Scheduler.RunUntil(world.Scheduler.Now + LookInterval);
        }

        var timeToRest = world.Scheduler.Now - SimulationPlan.BusyTime;
        world.Scheduler.RunUntil(world.Scheduler.Now + LoanCleanupTime);
        if (check.FindRemainingWork() is { } late)
        {
            throw new InvariantViolation(late.Invariant, $"it had been at rest before: {late.Detail}");
        }

        check.CheckStoredState();
        for (var looks = 1; check.FindWorkerNotPolling() is { } idler; looks++)
        {
            // A slot does not wait between an answer and the next get_task, and a line worker pauses between two polls.
            if (looks == 20)
            {
                throw new InvariantViolation(Invariant.EveryWorkerServes, idler);
            }

            world.Scheduler.RunUntil(world.Scheduler.Now + TimeSpan.FromSeconds(0.7));
        }

        CheckQuiet(world, check);
        return timeToRest;
    }

    private static void CheckQuiet(SimWorld world, IdleCheck check)
    {
        var messages = world.Network.Messages;
        var wakes = world.Servers.Select(server => (server.Timer.Wakes, Allowed: check.MaxIdleWakeups(server))).ToArray();
        world.Scheduler.RunUntil(world.Scheduler.Now + QuietTime);

        // A line worker sends a message every one or two seconds, a WebSocket worker every 30 s, a peer every 10 to 15 s.
        var lineSlots = world.Workers.Where(worker => worker.UsesLineFraming).Sum(worker => worker.Concurrency) + world.ForeignWorkers.Count;
        var slots = world.Workers.Where(worker => !worker.UsesLineFraming).Sum(worker => worker.Concurrency);
        var servers = world.Servers.Count + world.ForeignServers.Count;
        var messagesAllowed = (lineSlots * 280) + (slots * 10) + (servers * servers * 50) + 50;
        messages = world.Network.Messages - messages;
        if (messages > messagesAllowed)
        {
            throw new InvariantViolation(Invariant.NoIdleTraffic, $"{messages} messages in a minute with nothing to do; {messagesAllowed} are enough");
        }

        for (var i = 0; i < wakes.Length; i++)
        {
            var (before, allowed) = wakes[i];
            if (world.Servers[i].Timer.Wakes - before > allowed)
            {
                throw new InvariantViolation(Invariant.NoIdleTraffic, $"{world.Servers[i].Name} woke {world.Servers[i].Timer.Wakes - before} times in a minute with nothing to do; {allowed} are enough");
            }
        }
    }
}
