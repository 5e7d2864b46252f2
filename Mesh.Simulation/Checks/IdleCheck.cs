using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Foreign;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Checks what must hold after the faults, when the mesh is at rest.</summary>
internal sealed class IdleCheck(SimWorld world)
{
    /// <summary>Finds a worker that does not wait at its home for a task. Null when there is none.</summary>
    public string? FindWorkerNotPolling()
    {
        foreach (var server in Serving)
        {
            var status = server.Core!.GetStatus();
            foreach (var worker in world.AllWorkers.Where(worker => worker.IsUp && Home(worker) == server.Name))
            {
                if (!status.Workers.Any(known => known.Id.Value == worker.Name && known.State is WorkerState.Idle or WorkerState.SetAside && known.Home == status.Id))
                {
                    return $"{server.Name} does not have {worker.Name} at its door";
                }
            }

            foreach (var worker in world.Workers.Where(worker => worker.IsUp && worker.Home == server.Name && !worker.UsesLineFraming))
            {
                var asks = server.Core.FindWorker(new WorkerId(worker.Name))!.PendingPolls.Count;
                if (asks < worker.Concurrency)
                {
                    return $"{server.Name} has {asks} get_tasks of {worker.Name} waiting, which has {worker.Concurrency} slots";
                }
            }
        }

        return null;
    }

    /// <summary>Whether a worker is limited because of failures, so that it gets a task a minute or is not lent.</summary>
    public bool HasLimitedWorkers() => Serving.Any(server => server.Core?.GetStatus().Workers.Any(worker => worker.Strikes > 0) == true);

    /// <summary>The time until the last delayed task is due. A clock that was set back makes it long.</summary>
    public TimeSpan TimeUntilAllAreDue() => Serving.Where(server => server.Core is not null)
        .SelectMany(server => server.Core!.Unsettled.Select(task => task.Record.NotBefore - server.Now))
        .Max() is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    /// <summary>The number of times that an idle server may wake in a minute.</summary>
    public int MaxIdleWakeups(ServerNode server)
    {
        if (server.Core is not { } core)
        {
            return 0;
        }

        // A get_task is held for 30 s, or for 1.5 s over lines. Each peer gets heartbeats. Line workers and loans are checked each second.
        var status = core.GetStatus();
        var here = status.Workers.Select(worker => worker.Id.Value).ToHashSet();
        var ours = world.Workers.Where(worker => here.Contains(worker.Name)).ToLookup(worker => worker.UsesLineFraming, worker => worker.Concurrency);
        var lineSlots = ours[true].Sum() + world.ForeignWorkers.Count(worker => here.Contains(worker.Name));
        var heartbeats = 2 + (60 / (server.Settings.Timing.HeartbeatInterval.TotalSeconds * (1 - server.Settings.Timing.HeartbeatJitter)));
        return (ours[false].Sum() * 3) + (lineSlots * 41) + (lineSlots > 0 ? 61 : 0) + (status.Loans.Count > 0 ? 2 * 61 : 0)
            + (int)Math.Ceiling(status.Peers.Count * heartbeats);
    }

    private static string Home(SimNode worker) => worker switch
    {
        WorkerNode ours => ours.Home,
        ForeignWorker foreign => foreign.Home,
        _ => throw new InvalidOperationException($"{worker.Name} is not a worker."),
    };

    private IEnumerable<ServerNode> Serving => world.Servers.Where(server => !server.IsRemoved);

    /// <summary>Finds what prevents the mesh from being at rest. Null when there is nothing.</summary>
    public (Invariant Invariant, string Detail)? FindRemainingWork()
    {
        foreach (var client in world.Clients)
        {
            if (client.Open > 0)
            {
                return (Invariant.AcceptedTasksSettle, "a client waits");
            }
        }

        if (world.DeadLetterClients.Exists(client => client.Open > 0))
        {
            return (Invariant.AcceptedTasksSettle, "a client waits for its request for dead letters");
        }

        foreach (var server in Serving)
        {
            if (server.Core is not { } core)
            {
                return (Invariant.AcceptedTasksSettle, $"{server.Name} is not up");
            }

            var status = core.GetStatus();
            if (server.Store.Tasks.Count > 0 || core.Footprint.Tasks > 0)
            {
                var task = server.Store.Tasks.Values.FirstOrDefault();
                return (Invariant.AcceptedTasksSettle, $"{server.Name} has {core.Footprint.Tasks} unsettled tasks ({status.Queue} wait, {status.Running} run, {status.Scheduled} are scheduled), "
                    + $"stored {server.Store.Tasks.Count}: {task?.WireId} {task?.Type}");
            }

            // The workers of a lost server have no home to return to, so their borrower keeps them.
            if (status.Loans.Concat(server.Store.Loans.Values).FirstOrDefault(loan => loan.Role == LoanRole.Owner || !IsRemoved(loan.Peer.Value) || !IsAt(status, loan.Worker)) is { } loan)
            {
                return (Invariant.LoansEnd, $"{server.Name} has {status.Loans.Count} loans, stored {server.Store.Loans.Count}: {loan.Worker} {loan.Role} {loan.State}, peer {loan.Peer}");
            }
        }

        foreach (var lost in world.Servers.Where(server => server.IsRemoved && FindAdopter(server) is not null))
        {
            if (lost.Store.Tasks.Count > 0)
            {
                return (Invariant.AcceptedTasksSettle, $"{lost.Name} is lost, and {FindAdopter(lost)!.Name} has not settled its {lost.Store.Tasks.Count} tasks");
            }
        }

        if (world.ScheduleClients.Any(client => client.Open > 0))
        {
            return (Invariant.SchedulesFire, "a client cannot delete its schedules");
        }

        return FindWorkerAwayFromHome();
    }

    /// <summary>Checks what else must hold at rest. Called when nothing prevents the rest.</summary>
    public void CheckStoredState()
    {
        CheckTasks();
        world.FollowUpCheck.Check();
        world.InvariantChecker.DeadLetters.Check();
        CheckBalances();
        foreach (var server in Serving)
        {
            CheckFootprint(server);
        }
    }

    /// <summary>A server that must adopt the tasks of a lost server, or null.</summary>
    private ServerNode? FindAdopter(ServerNode lost) => Serving.FirstOrDefault(server => server.Settings.Adoption.After > TimeSpan.Zero && server.Store.Redis == lost.Store.Redis);

    private static bool IsAt(ServerStatus status, WorkerId worker) => status.Workers.Any(known => known.Id == worker);

    private bool IsRemoved(string server) => world.Servers.Any(lost => lost.Name == server && lost.IsRemoved);

    private (Invariant, string)? FindWorkerAwayFromHome()
    {
        foreach (var foreign in world.ForeignServers)
        {
            if (foreign.Queue > 0)
            {
                return (Invariant.AcceptedTasksSettle, $"{foreign.Name} has {foreign.Queue} tasks");
            }
        }

        foreach (var worker in world.Workers)
        {
            if (!IsRemoved(worker.Home) && (!worker.IsHome || worker.RunningAttempts > 0))
            {
                return (Invariant.AllWorkersAtHome, $"{worker.Name} is not home, or works ({worker.RunningAttempts})");
            }
        }

        foreach (var worker in world.ForeignWorkers)
        {
            if (!worker.IsHome && !IsRemoved(worker.Home))
            {
                return (Invariant.AllWorkersAtHome, $"{worker.Name} is not home");
            }
        }

        return null;
    }

    private void CheckTasks()
    {
        foreach (var server in world.Servers.Where(server => !server.IsRemoved || FindAdopter(server) is not null))
        {
            world.Coverage.Count("end: tasks done", server.Store.Results.Values.Count(task => task.State == TaskState.Done));
            world.Coverage.Count("end: tasks cancelled", server.Store.Results.Values.Count(task => task.State == TaskState.Cancelled));
            world.Coverage.Count("end: dead letters", server.Store.Dead.Count);
            foreach (var id in world.InvariantChecker.AcceptedBy(server))
            {
                if (!server.Store.Results.ContainsKey(id) && !server.Store.Dead.ContainsKey(id) && !world.DataLossTracker.MayBeLost(server, id)
                    && !world.InvariantChecker.DeadLetters.IsDeleted(server, id))
                {
                    throw new InvariantViolation(Invariant.AcceptedTasksSettle, $"{server.Name} accepted {id} and has lost it");
                }
            }
        }
    }

    private void CheckBalances()
    {
        var done = world.Servers.SelectMany(server => server.Store.Results.Values).Where(task => task.State == TaskState.Done && task.Type == TaskType.Update).ToList();
        foreach (var task in done)
        {
            if (!world.Ledger.WasApplied(task.User!, task.WireId) && !world.DataLossTracker.MayLoseMark(task.User!, task.WireId))
            {
                throw new InvariantViolation(Invariant.UpdateCountsOnce, $"{task.WireId} is done, and {task.User} never got its {task.Amount}");
            }
        }

        // The tasks that a lost server has stored are not lost. They would be settled if the server came back.
        var unsettled = world.Servers.Where(server => server.IsRemoved).SelectMany(server => server.Store.Tasks.Values);
        var known = done.Concat(unsettled).Select(task => task.WireId).ToHashSet();
        var applied = world.Ledger.Applied.ToList();
        foreach (var (user, task) in applied)
        {
            if (!known.Contains(task) && !world.DataLossTracker.MayBeLost(task) && !world.DataLossTracker.MayLoseMark(user, task))
            {
                throw new InvariantViolation(Invariant.UpdateCountsOnce, $"{user} got the amount of {task}, and it is not done");
            }
        }

        foreach (var (user, start) in world.Ledger.Start)
        {
            var due = start + applied.Where(update => update.User == user).Sum(update => world.Ledger.AmountOf(update.Task));
            if (world.Ledger.Balances[user] != due)
            {
                throw new InvariantViolation(Invariant.UpdateCountsOnce, $"{user} has {world.Ledger.Balances[user]}, due are {due}");
            }
        }
    }

    /// <summary>A server may keep its own workers, and those of lost servers, which have no home to return to.</summary>
    private void CheckFootprint(ServerNode server)
    {
        HomeWorkersCheck.Check(server);
        var footprint = server.Core!.Footprint;
        var ours = world.Workers.Where(worker => MayKeep(server, worker.Home)).ToList();
        var foreign = world.ForeignWorkers.Count(worker => MayKeep(server, worker.Home));
        var (workers, slots) = (ours.Count + foreign, ours.Sum(worker => worker.Concurrency) + foreign);
        if (footprint.Workers > workers || footprint.PendingPolls > slots || footprint.Sessions > workers || footprint.TaskSessions > workers || footprint.QueueEntries > 0
            || (footprint.ReleaseRequests > 0 && !world.Servers.Any(lost => lost.IsRemoved)) || footprint.ReleaseBatches + footprint.InvalidationRetries > 0)
        {
            throw new InvariantViolation(Invariant.BoundedMemory, $"{server.Name} holds {footprint}, and may keep {workers} workers with {slots} slots");
        }

        if (footprint.Peers != server.Peers.Count || server.Links != server.Peers.Count)
        {
            throw new InvariantViolation(Invariant.BoundedMemory, $"{server.Name} holds {footprint.Peers} peers with {server.Links} links, and has {server.Peers.Count} peers");
        }

        if (server.Core.GetStatus().Workers.FirstOrDefault(worker => world.AllWorkers.FirstOrDefault(node => node.Name == worker.Id.Value) is { } guest
            && !MayKeep(server, Home(guest))) is { } kept)
        {
            throw new InvariantViolation(Invariant.BoundedMemory, $"{server.Name} still has {kept.Id} in its memory, which is at home at {kept.Home}");
        }
    }

    private bool MayKeep(ServerNode server, string home) => home == server.Name || IsRemoved(home);
}
