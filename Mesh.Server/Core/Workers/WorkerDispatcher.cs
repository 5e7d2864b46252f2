using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Workers;

/// <summary>Answers each get_task with REDIRECT, RETURN, a task or NO_TASK, or holds it (docs/protocol.md, "The task cycle").</summary>
internal sealed class WorkerDispatcher(CoreState core, TaskLifecycle tasks, WorkerMonitor monitor, WorkerRemover remover, Lender lender, Borrower borrower)
{
    /// <summary>
    /// The number of open connections of one worker that are replaced within <see cref="DuplicateIdWindow"/> and show that two workers use its id. A worker that lost a
    /// connection without noticing it replaces it once. Two workers with the same id replace each other's connections repeatedly.
    /// </summary>
    private const int DuplicateIdThreshold = 4;

    private static readonly TimeSpan DuplicateIdWindow = TimeSpan.FromMinutes(10);

    private static readonly NoTask NoTaskMessage = new();

    /// <summary>Registers the worker and answers its get_task, or holds it. A get_task with an unknown home, or of a worker beyond the limit, is refused.</summary>
    public void OnGetTask(SessionId session, Framing framing, GetTask message, DateTimeOffset now)
    {
        if (ResolveHome(message) is not { } home)
        {
            core.Reject(session, message, $"SERVER_UUID: \"{message.Home}\" is not a peer of \"{core.Settings.Id}\"");
            return;
        }

        if (framing == Framing.WebSocket && core.Workers.Find(message.Worker)?.Session is { } newer && newer.Value > session.Value)
        {
            // The worker sent this message before it opened its present connection.
            return;
        }

        if (core.Workers.All.Count >= core.Settings.Sessions.MaxWorkers && core.Workers.Find(message.Worker) is null)
        {
            core.Reject(session, message, $"WORKER_UUID: there are {core.Settings.Sessions.MaxWorkers} workers already (Mesh__Sessions__MaxWorkers)");
            return;
        }

        var worker = Register(session, framing, message, home, now);
        if (worker.RunsOneTaskAtATime)
        {
            OnPollWithoutStatus(worker, now);
        }

        AnswerNoTaskOnOtherFraming(worker, framing);

        if (core.Workers.Polls.FindOnLine(session) is { } older)
        {
            AnswerNoTask(older);
        }

        AnswerPoll(worker, session, framing, now, message.TraceParent);
    }

    /// <summary>Answers pending polls whose deadline has passed with NO_TASK.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        while (core.Workers.Polls.TryTakeExpired(now, out var poll))
        {
            // Suspended polls are answered too. Only a new get_task shows that the worker does not leave.
            core.Send(poll.Session, NoTaskMessage);
        }
    }

    /// <summary>Answers the pending polls of a worker again. Called when its loan has changed.</summary>
    public void OnLoanChanged(WorkerEntry worker, DateTimeOffset now)
    {
        if (worker.Home != core.Settings.Id && core.Loans.Find(worker.Id) is null)
        {
            OnLoanEnded(worker, now);
            return;
        }

        foreach (var poll in worker.PendingPolls.ToArray())
        {
            if (worker.PendingPolls.Contains(poll))
            {
                core.Workers.Polls.Remove(poll);
                AnswerPoll(worker, poll.Session, poll.Framing, now);
            }
        }
    }

    /// <summary>Dispatches tasks to the pending polls of a worker, or makes the polls ready. Called when its pause has ended.</summary>
    public void OnUnpaused(WorkerEntry worker, DateTimeOffset now)
    {
        if (core.Loans.Find(worker.Id)?.State is not (null or LoanState.Expected or LoanState.Arrived or LoanState.Releasing))
        {
            return;
        }

        foreach (var poll in worker.PendingPolls.ToArray())
        {
            if (!worker.Health.CanReceiveTask(worker.Running.Count, now))
            {
                return;
            }

            if (tasks.TryDispatch(worker, poll.Session, now))
            {
                core.Workers.Polls.Remove(poll);
            }
            else
            {
                core.Workers.Polls.Resume(poll);
            }
        }
    }

    /// <summary>Returns the home of a worker, which SERVER_UUID names by id or by address, or null when it is neither this server nor a peer.</summary>
    private ServerId? ResolveHome(GetTask message)
    {
        if (message.Home is not { } home || home == core.Settings.Id)
        {
            return core.Settings.Id;
        }

        return core.Peers.FindHomeServer(home)?.Id ?? (home.Value == core.Settings.Advertise.ToString() ? (ServerId?)core.Settings.Id : null);
    }

    /// <summary>Adds a worker if it is unknown, and updates its connection, home and task types.</summary>
    private WorkerEntry Register(SessionId session, Framing framing, GetTask message, ServerId home, DateTimeOffset now)
    {
        var worker = core.Workers.Find(message.Worker);
        var isNew = worker is null;
        worker ??= core.Workers.Add(message.Worker, home, core.Loans.Find(message.Worker) is not null);
        if (worker.IsGone)
        {
            monitor.OnReconnected(worker);
        }

        if (core.Workers.Bind(worker, session, framing, now))
        {
            CountReplacedConnection(worker, now);
        }

        worker.Home = home;
        core.Workers.SetHandles(worker, message.Tasks ?? TaskTypeSet.QueryOnly);
        worker.RunsOneTaskAtATime = message.Tasks is null;
        if (isNew && home == core.Settings.Id)
        {
            core.Report(new WorkerJoined(worker.Id, home, framing));
        }
        else if (isNew)
        {
            monitor.OnBorrowedWorkerArrived(worker, now);
        }

        return worker;
    }

    /// <summary>Counts a replaced connection, and reports a probable duplicate id when the threshold is reached.</summary>
    private void CountReplacedConnection(WorkerEntry worker, DateTimeOffset now)
    {
        if (now - worker.ReplacedConnectionsSince > DuplicateIdWindow)
        {
            (worker.ReplacedConnectionsSince, worker.ReplacedConnections) = (now, 0);
        }

        if (++worker.ReplacedConnections == DuplicateIdThreshold)
        {
            core.Report(new DuplicateWorkerIdDetected(worker.Id));
        }
    }

    /// <summary>Answers a get_task with a loan instruction, a task or NO_TASK, or holds it.</summary>
    private void AnswerPoll(WorkerEntry worker, SessionId session, Framing framing, DateTimeOffset now, string? trace = null)
    {
        var instruction = worker.Home == core.Settings.Id
            ? lender.OnPoll(worker, session, now, trace)
            : borrower.OnPoll(worker, session, now, trace);
        switch (instruction)
        {
            case LoanInstruction.Sent:
                break;
            case LoanInstruction.Wait or LoanInstruction.None when worker.PendingPolls.Count + worker.Running.Count >= core.Settings.Tasks.MaxPerWorker:
                core.Send(session, NoTaskMessage);
                break;
            case LoanInstruction.Wait:
                core.Workers.Polls.Add(worker, session, framing, isSuspended: true, now);
                break;
            case LoanInstruction.None when tasks.TryDispatch(worker, session, now):
                break;
            case LoanInstruction.None:
                core.Workers.Polls.Add(worker, session, framing, isSuspended: false, now);
                break;
            default:
                throw new InvalidOperationException($"Loan instruction {instruction} is unknown.");
        }
    }

    /// <summary>
    /// Fails the running tasks of a worker that runs one task at a time, and answers its older polls with NO_TASK. Its new get_task shows that it has lost its task and its earlier
    /// connection.
    /// </summary>
    private void OnPollWithoutStatus(WorkerEntry worker, DateTimeOffset now)
    {
        while (worker.PendingPolls.Count > 0)
        {
            AnswerNoTask(worker.PendingPolls[^1]);
        }

        while (worker.Running.Count > 0)
        {
            tasks.Fail(worker.Running[^1], "the worker sent another get_task without a status", now);
        }
    }

    /// <summary>Answers polls on connections with the other framing with NO_TASK. A worker that changes its framing no longer uses its earlier connections.</summary>
    private void AnswerNoTaskOnOtherFraming(WorkerEntry worker, Framing framing)
    {
        for (var i = worker.PendingPolls.Count - 1; i >= 0; i--)
        {
            if (worker.PendingPolls[i].Framing != framing)
            {
                AnswerNoTask(worker.PendingPolls[i]);
            }
        }
    }

    /// <summary>Answers the polls of a borrowed worker whose loan has ended with NO_TASK, and removes it unless it has a task. If it is still connected, it sends another get_task.</summary>
    private void OnLoanEnded(WorkerEntry borrowed, DateTimeOffset now)
    {
        while (borrowed.PendingPolls.Count > 0)
        {
            AnswerNoTask(borrowed.PendingPolls[^1]);
        }

        if (borrowed.Running.Count == 0)
        {
            remover.Remove(borrowed, now);
        }
    }

    private void AnswerNoTask(PendingPoll poll)
    {
        core.Workers.Polls.Remove(poll);
        core.Send(poll.Session, NoTaskMessage);
    }
}

/// <summary>The effect of a loan on a get_task of its worker.</summary>
internal enum LoanInstruction : byte
{
    /// <summary>The worker can receive a task.</summary>
    None = 1,

    /// <summary>The get_task was answered with REDIRECT or RETURN.</summary>
    Sent,

    /// <summary>The get_task must be held without a task, because a REDIRECT or RETURN follows or was just sent.</summary>
    Wait,
}
