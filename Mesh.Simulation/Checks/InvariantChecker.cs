using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Stores;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Checks;

/// <summary>Checks the invariants at each step, and counts what happens.</summary>
internal sealed class InvariantChecker(SimWorld world)
{
    private readonly Dictionary<ServerNode, HashSet<string>> _accepted = [];
    private readonly RetryRequestCheck _requests = new(world);
    private readonly WaitingTimeCheck _waiting = new(world);
    private readonly RetryCheck _retries = new(world);

    /// <summary>The checks of loans.</summary>
    public LoanCheck Loans { get; } = new(world);

    public CancelCheck Cancels { get; } = new(world);

    public TimeoutCheck Timeouts { get; } = new(world);

    public DeadLetterCheck DeadLetters { get; } = new(world);

    public GiveWayCheck GivingWay { get; } = new(world);

    /// <summary>The ids of the tasks that a server has accepted.</summary>
    public IReadOnlySet<string> AcceptedBy(ServerNode server) => _accepted.TryGetValue(server, out var ids) ? ids : (IReadOnlySet<string>)new HashSet<string>();

    public void OnEvent(ServerNode server, MeshEvent happened)
    {
        if (happened is LoanStateChanged or LoanEnded or WorkerJoined or WorkerLeft or TaskRequeued)
        {
            HomeWorkersCheck.Check(server);
        }

        switch (happened)
        {
            case LoanStateChanged { Loan: var loan }:
                world.Coverage.Count($"loan: {loan.Role} {loan.State}");
                world.TriggeredFaults.OnLoanStep(server, loan.Worker.Value);
                if (loan is { Role: LoanRole.Owner, State: LoanState.Offered })
                {
                    CheckMinimum(server);
                }

                Loans.OnStateChanged(server, loan);

                break;
            case LoanEnded ended:
                _retries.OnLoanEnded(server, ended.Loan.Worker);
                world.Coverage.Count($"loan: {ended.Loan.Role} ended, {Anonymous(ended.Reason)}");
                if (ended.Loan.Role == LoanRole.Owner && world.Workers.Any(worker => worker.Name == ended.Loan.Worker.Value && worker.IsUp && worker.IsLeaving))
                {
                    world.Coverage.Count($"loan: ended while the worker leaves, {ended.Reason}");
                }

                server.Log($"ends the loan of {ended.Loan.Worker}: {ended.Reason}");
                break;
            case TaskResumed resumed:
                world.Coverage.Count("running: resumed");
                server.Log($"lets {resumed.Worker} resume", resumed.Task.WireId);
                _retries.OnResumed(resumed.Task, resumed.Worker);
                _requests.OnResumed(resumed.Task);
                Cancels.OnAttempt(server, resumed.Task.WireId);
                Timeouts.OnAttempt(server, resumed.Task.WireId);
                break;
            case TaskDeadLettered dead:
                world.Coverage.Count("server: TaskDeadLettered");
                Cancels.OnDeadLettered(server, dead.Task);
                break;
            case TaskRequeued { IsCounted: true } back:
                world.Coverage.Count($"task: put back");
                world.Coverage.Count("task: put back after its timeout", back.Reason.StartsWith("the attempt ran longer", StringComparison.Ordinal) ? 1 : 0);
                _retries.OnPutBack(server, back.Task);
                Timeouts.OnPutBack(server, back.Task.WireId);
                server.Log($"puts back {back.Task.WireId}: {back.Reason}");
                break;
            case TaskRequeued back:
                Timeouts.OnPutBack(server, back.Task.WireId);
                world.Coverage.Count("task: put back, attempt not counted");
                break;
            case PeerAvailabilityChanged peer:
                world.Coverage.Count(peer.IsAlive ? "server: peer alive" : "server: peer dead");
                break;
            case ServerPauseChanged { Status: var status }:
                world.Coverage.Count(status.Paused ? "server: paused" : "server: resumed");
                break;
            case MessageRejected refused:
                world.Coverage.Count($"server: refused {refused.Message.GetType().Name}");
                break;
            case ScheduleFired fired:
                world.ScheduleCheck.OnFired(fired);
                break;
            default:
                world.Coverage.Count($"server: {happened.GetType().Name}");
                break;
        }
    }

    /// <param name="reported">For an ACK, the content of the acknowledged status.</param>
    /// <param name="client">The receiver.</param>
    public void OnSend(ServerNode server, string client, MeshMessage message, ReportedStatus? reported)
    {
        if (world.DataLossTracker.IsStoreStale(server))
        {
            return;
        }

        switch (message)
        {
            case Ack ack when reported is { Task: { } task }:
                CheckAck(server, ack, task, reported);
                break;
            case Available available:
                foreach (var worker in available.Workers)
                {
                    if (!server.Store.Loans.TryGetValue(worker, out var loan) || loan.Role != LoanRole.Owner)
                    {
                        throw new InvariantViolation(Invariant.AckAfterStore, $"{server.Name} offers {worker}, and the loan is not stored");
                    }
                }

                break;
            case Redirect when !server.Store.Loans.TryGetValue(new WorkerId(client), out var loan) || loan.Role != LoanRole.Owner:
                throw new InvariantViolation(Invariant.AckAfterStore, $"{server.Name} sends {client} away, and the loan is not stored");
            case ReleaseAck released:
                foreach (var worker in released.Workers)
                {
                    if (server.Store.Loans.TryGetValue(worker, out var lent) && lent is { Role: LoanRole.Owner, State: LoanState.Lent } && lent.Peer.Value == client)
                    {
                        throw new InvariantViolation(Invariant.AckAfterStore, $"{server.Name} acknowledges the release of {worker}, and it is not stored");
                    }
                }

                break;
            default:
                break;
        }
    }

    /// <summary>Called when a task is sent to a worker.</summary>
    public void OnDispatch(ServerNode server, TaskEntry? task)
    {
        if (task is null)
        {
            return;
        }

        if (task.Worker is { } worker && !world.TypesOf(worker.Id).Contains(task.Type))
        {
            throw new InvariantViolation(Invariant.OnlyHandledTypes, $"{server.Name} gives {worker.Id} a {task.Type}");
        }

        _waiting.OnDispatch(server, task);
        _requests.OnDispatch(server, task);
        _retries.OnDispatch(server, task);
        world.FollowUpCheck.OnDispatch(server, task);
        DeadLetters.OnDispatch(server, task);
        Cancels.OnAttempt(server, task.Id);
        Timeouts.OnAttempt(server, task.Id);
        if (server.MayServe(task.Record.StoredBy))
        {
            return;
        }

        // The server renews its leases many times in this time, if the store is available. A renewal can fail or be slow.
        var storedBy = task.Record.StoredBy is { } adopted ? world.Servers.Find(other => other.Name == adopted.Value)!.Store : server.Store;
        var taken = storedBy.Lease.TakenAt > storedBy.Redis.UpSince ? storedBy.Lease.TakenAt : storedBy.Redis.UpSince;
        if (storedBy.Redis.IsUp && world.Scheduler.Now - taken > SimStore.LeaseExpiry * 3)
        {
            throw new InvariantViolation(Invariant.OneServerPerTask, $"{server.Name} gives out {task.Id}, which another serves");
        }

        world.Coverage.Count("adoption: a task given out just after the claim was lost");
    }

    /// <summary>Called when the server has been told that a session was reset.</summary>
    /// <param name="server">The server.</param>
    /// <param name="session">The session.</param>
    /// <param name="undelivered">The tasks that were sent on the session and never received.</param>
    public void OnReset(ServerNode server, SessionId session, IReadOnlyCollection<TaskEntry> undelivered)
    {
        foreach (var task in undelivered)
        {
            if (task is { Step: TaskStep.Running, Worker.ResetsAfterReading: false } && task.SentOn == session && server.Now - task.StartedAt < DeliveryTracker.MaxUnconfirmedAge)
            {
                throw new InvariantViolation(Invariant.LostDeliveriesReturn, $"{server.Name} waits for {task.Id}, which did not reach {task.Worker.Id}");
            }

            world.Coverage.Count("reset: a task was not received");
        }
    }

    /// <summary>Called when the task of a schedule is stored.</summary>
    public void OnScheduled(ServerNode owner, string id)
    {
        if (!_accepted.TryGetValue(owner, out var ids))
        {
            _accepted.Add(owner, ids = []);
        }

        ids.Add(id);
    }

    /// <summary>Called before an UPDATE becomes a dead letter.</summary>
    /// <param name="isCutOff">True for a process that was suspended. Its connections are closed, so that no other worker is there for it. Those of the server are connected to the process that took its place.</param>
    public void OnGivenUp(ServerNode server, TaskRecord task, bool isCutOff)
    {
        if (!isCutOff && !_requests.IsRefused(task) && server.Core?.FindTask(task.Id) is not { IsCancelRequested: true })
        {
            _retries.OnGivenUp(server, task);
        }

        world.FollowUpCheck.OnGivenUp(task.WireId);
    }

    public void OnRunningAnswered(ServerNode server, TaskId task, bool cancel)
    {
        world.Coverage.Count(cancel ? "running: told to cancel" : "running: goes on");
        Timeouts.OnRunningAnswered(server, task, cancel);
    }

    /// <summary>Called when a client posts a task.</summary>
    public void OnPosted(TaskRecord task) => _waiting.OnPosted(task);

    /// <summary>Called before a server handles a status.</summary>
    public void OnStatus(ServerNode server, TaskStatus status) => _requests.OnStatus(server, status);

    public void OnAnswer(ServerNode server, Submission submission, SubmitOutcome outcome)
    {
        if (submission.IsDeadLetterDeletion || submission.IsDeadLetterRetry)
        {
            DeadLetters.OnAnswer(server, submission, outcome);
        }

        if (outcome != SubmitOutcome.Accepted || submission.IsDeadLetterDeletion)
        {
            return;
        }

        if (!_accepted.TryGetValue(server, out var ids))
        {
            _accepted.Add(server, ids = []);
        }

        foreach (var task in submission.Tasks)
        {
            var storedBy = task.StoredBy is { } adopted ? world.Servers.Find(other => other.Name == adopted.Value)! : server;
            if (task.Keyed && !storedBy.Store.Contains(task) && world.Servers.Any(other => server.Adopts(other) && other.Store.Contains(task)))
            {
                // It is a task of an adopted server.
                world.Coverage.Count("server: key of an adopted server's task accepted again");
                continue;
            }

            // A suspended server can give its answer after the task has become a dead letter and was deleted.
            if (!storedBy.Store.Contains(task) && !world.DataLossTracker.IsStoreStale(server) && !DeadLetters.IsDeleted(storedBy, task.Id))
            {
                throw new InvariantViolation(Invariant.AckAfterStore, $"{server.Name} accepts {task.Id}, and it is not stored");
            }

            _ = storedBy == server && ids.Add(task.Id);
        }
    }

    private void CheckAck(ServerNode server, Ack ack, TaskId task, ReportedStatus reported)
    {
        world.Coverage.Count($"server: ACK of {(reported.Settles ? "an end" : "an attempt")}{(ack.Id is null ? " without TASK_ID" : "")}");
        if (!server.Store.Tasks.TryGetValue(task, out var stored))
        {
            return;
        }

        if (reported.Settles)
        {
            throw new InvariantViolation(Invariant.AckAfterStore, $"{server.Name} acknowledges {task}, and its end is not stored");
        }

        if (stored.Attempts < reported.Attempts)
        {
            throw new InvariantViolation(
                Invariant.AckAfterStore, $"{server.Name} acknowledges attempt {reported.Attempts} of {task}, and {stored.Attempts} are stored");
        }
    }

    private static void CheckMinimum(ServerNode server)
    {
        var left = server.Core!.GetStatus() is var status
            ? status.Workers.Count(worker => worker.Home == status.Id && worker.State is WorkerState.Idle or WorkerState.Busy && worker.Home == status.Id)
            : 0;
        if (left < server.Settings.Balancing.MinWorkersBeforeSharing)
        {
            throw new InvariantViolation(Invariant.MinimumKept, $"{server.Name} keeps {left} workers");
        }
    }

    private static string Anonymous(string reason) => reason.IndexOf('"', StringComparison.Ordinal) is >= 0 and var quote ? reason[..quote] : reason;
}
