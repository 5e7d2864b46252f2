namespace Mesh.Simulation;

/// <summary>How a life ended.</summary>
/// <param name="Broken">The invariant that was broken, or null.</param>
/// <param name="Detail">How it was broken.</param>
/// <param name="Plan">What the life was made of, in a line.</param>
/// <param name="LastSteps">The last steps, as lines.</param>
/// <param name="TimeToIdle">From the end of the faults until all was done and home.</param>
/// <param name="Digest">A hash of all steps, when it was asked for.</param>
public sealed record SimulationReport(
    long Seed, Mutation Mutation, Invariant? Broken, string Detail, string Plan, IReadOnlyList<string> LastSteps, TimeSpan TimeToIdle, long Steps, ulong Digest, Coverage Coverage)
{
    /// <summary>The failure as it is shown: the steps, what broke, and how to see it again.</summary>
    public override string ToString() => Broken is null ? $"seed {Seed}: all invariants held" : string.Join(Environment.NewLine, [
        $"The last steps of seed {Seed} ({Plan}):",
        .. LastSteps,
        "",
        $"{Broken} is broken: {Detail}",
        $"Replay: dotnet run --project Mesh.Bench -- simulate --seed {Seed}{(Mutation == Mutation.None ? "" : $" --mutation {Mutation}")}",
    ]);
}

/// <summary>One life of a mesh: it is born, works amid faults, is mended, and must come to rest.</summary>
public static class SimulationRun
{
    /// <summary>After the faults end all must be settled and home within this time.</summary>
    public static TimeSpan IdleTimeout { get; } = TimeSpan.FromMinutes(10);

    /// <summary>The same for a server all of whose workers are set aside: each takes one task a minute, so a few tasks at fault take long to become dead letters.</summary>
    public static TimeSpan SetAsideIdleTimeout { get; } = TimeSpan.FromMinutes(30);

    /// <summary>What is still remembered of ended loans is forgotten within this time.</summary>
    private static readonly TimeSpan LoanCleanupTime = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan QuietTime = TimeSpan.FromMinutes(1);

    /// <param name="seed">Everything follows from it.</param>
    /// <param name="logCapacity">How many of the last steps are kept.</param>
    /// <param name="digest">True to hash all steps, which costs time.</param>
    /// <param name="mutation">A mistake that the life is lived with.</param>
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

        foreach (var foreign in world.ForeignServers)
        {
            world.Scheduler.At(foreignLoad.Seconds(5, 40), () => foreign.AddTasks(foreignLoad.From(0, 40)));
        }

        faults.Schedule(plan.Faults);
        world.Scheduler.RunUntil(SimulationPlan.BusyTime);
        faults.EndAllFaults();

        // Servers that were asked to stop end within 30 s and are started again.
        world.Scheduler.RunUntil(SimulationPlan.BusyTime + TimeSpan.FromSeconds(35));
        while (check.FindRemainingWork() is { } unrest)
        {
            if (world.Scheduler.Now > SimulationPlan.BusyTime + (check.HasOnlySetAsideWorkers() ? SetAsideIdleTimeout : IdleTimeout))
            {
                throw new InvariantViolation(unrest.Invariant, unrest.Detail);
            }

            world.Scheduler.RunUntil(world.Scheduler.Now + TimeSpan.FromSeconds(1));
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
            // Between an answer and the next get_task a slot does not wait; a poll may be lost to the line worker's pause.
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

        // A line worker asks every second or two, a WebSocket worker every half minute, a peer every ten to fifteen seconds.
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
