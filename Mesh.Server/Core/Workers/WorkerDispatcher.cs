using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Workers;

/// <summary>Where workers present themselves: each get_task is answered with an order, a task, or held.</summary>
internal sealed class WorkerDispatcher(CoreState core, TaskLifecycle tasks, WorkerMonitor monitor, Lender lender, Borrower borrower)
{
    /// <summary>Open connections of one worker that are replaced within <see cref="DuplicateIdWindow"/>, at which two workers are taken to share its id.</summary>
    private const int DuplicateIdThreshold = 4;

    private static readonly TimeSpan DuplicateIdWindow = TimeSpan.FromMinutes(10);

    /// <summary>A line worker is looked for this often.</summary>
    private static readonly TimeSpan LineWorkerCheckInterval = TimeSpan.FromSeconds(1);

    private static readonly NoTask NoTaskMessage = new();

    private DateTimeOffset _nextLineWorkerCheck;

    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = core.Workers.NextDeadline;
            return core.Workers.HasLineWorkers && !(next < _nextLineWorkerCheck) ? _nextLineWorkerCheck : next;
        }
    }

    public void OnGetTask(SessionId session, Framing framing, GetTask message, DateTimeOffset now)
    {
        if (ResolveHome(message) is not { } home)
        {
            core.Reject(session, message, $"SERVER_UUID: \"{message.Home}\" is not a peer of \"{core.Settings.Id}\"");
            return;
        }

        if (framing == Framing.WebSocket && core.Workers.Find(message.Worker)?.Session is { } newer && newer.Value > session.Value)
        {
            // Sent before the worker opened a newer connection, and overtaken by it.
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

        if (core.Workers.FindLinePoll(session) is { } older)
        {
            AnswerNoTask(older);
        }

        AnswerPoll(worker, session, framing, now, message.TraceParent);
    }

    public void OnSessionClosed(SessionId session, SessionEnd end, DateTimeOffset now)
    {
        var workers = core.Workers.Close(session, now);
        foreach (var task in core.Deliveries.Close(session, end, now))
        {
            tasks.ReturnUndelivered(task, end == SessionEnd.Dropped ? "its connection was dropped" : "its connection was reset", now);
        }

        foreach (var worker in workers)
        {
            if (worker.Running.Count == 0 && core.Loans.Find(worker.Id) is { State: LoanState.Lent or LoanState.Returned })
            {
                RemoveWorker(worker, now);
            }
        }
    }

    public void OnTimer(DateTimeOffset now)
    {
        while (core.Workers.TryTakeExpired(now, out var poll))
        {
            // A parked one too: that a worker's other slots still wait does not say that it stays; that it asks again does.
            core.Send(poll.Session, NoTaskMessage);
        }

        while (core.Workers.FindGraceExpired(now) is { } lost)
        {
            RemoveWorker(lost, now);
        }

        if (_nextLineWorkerCheck <= now)
        {
            _nextLineWorkerCheck = now + LineWorkerCheckInterval;
            RemoveInactiveLineWorkers(now);
        }
    }

    /// <summary>Gives what an order or a task was waiting for to the asks of a worker that were parked.</summary>
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
                core.Workers.RemovePoll(poll);
                AnswerPoll(worker, poll.Session, poll.Framing, now);
            }
        }
    }

    /// <summary>A worker's pause is over, or it need not pause any more: gives its held asks tasks, or lets them wait for some.</summary>
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
                core.Workers.RemovePoll(poll);
            }
            else
            {
                core.Workers.ResumePoll(poll);
            }
        }
    }

    /// <summary>The server that a worker belongs to, by id or by address; null for a stranger's.</summary>
    private ServerId? ResolveHome(GetTask message)
    {
        if (message.Home is not { } home || home == core.Settings.Id)
        {
            return core.Settings.Id;
        }

        return core.Peers.FindHomeServer(home)?.Id ?? (home.Value == core.Settings.Advertise.ToString() ? (ServerId?)core.Settings.Id : null);
    }

    private WorkerEntry Register(SessionId session, Framing framing, GetTask message, ServerId home, DateTimeOffset now)
    {
        var worker = core.Workers.Find(message.Worker);
        var isNew = worker is null;
        worker ??= core.Workers.Add(message.Worker, home);
        if (worker.IsGone)
        {
            monitor.OnReconnected(worker);
        }

        if (core.Workers.Bind(worker, session, framing, now))
        {
            CountReplacedConnection(worker, now);
        }

        worker.Home = home;
        core.Workers.SetHandles(worker, message.Tasks ?? TaskTypes.Query);
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

    /// <summary>A worker replaces a connection that it has lost unnoticed once; two workers of one id do it by turns.</summary>
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
                core.Workers.AddPoll(worker, session, framing, isSuspended: true, now);
                break;
            case LoanInstruction.None when tasks.TryDispatch(worker, session, now):
                break;
            case LoanInstruction.None:
                core.Workers.AddPoll(worker, session, framing, isSuspended: false, now);
                break;
            default:
                throw new InvalidOperationException($"Order {instruction} is unknown.");
        }
    }

    /// <summary>A worker of one task at a time that asks again has neither the task nor the connection that it had.</summary>
    private void OnPollWithoutStatus(WorkerEntry worker, DateTimeOffset now)
    {
        while (worker.PendingPolls.Count > 0)
        {
            AnswerNoTask(worker.PendingPolls[^1]);
        }

        while (worker.Running.Count > 0)
        {
            tasks.Fail(worker.Running[^1], "the worker asked again without a status", now);
        }
    }

    /// <summary>A worker that comes back with the other framing has left the connections that it had.</summary>
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

    /// <summary>The loan of a guest is over, and it has gone home. Should it be here after all, it asks again.</summary>
    private void OnLoanEnded(WorkerEntry borrowed, DateTimeOffset now)
    {
        while (borrowed.PendingPolls.Count > 0)
        {
            AnswerNoTask(borrowed.PendingPolls[^1]);
        }

        if (borrowed.Running.Count == 0)
        {
            RemoveWorker(borrowed, now);
        }
    }

    private void AnswerNoTask(PendingPoll poll)
    {
        core.Workers.RemovePoll(poll);
        core.Send(poll.Session, NoTaskMessage);
    }

    private void RemoveInactiveLineWorkers(DateTimeOffset now)
    {
        if (!core.Workers.HasLineWorkers)
        {
            return;
        }

        var timeout = core.Settings.Tasks.LineWorkerTimeout;
        foreach (var worker in core.Workers.All.Where(worker =>
            worker.Framing == Framing.Line && worker.Running.Count == 0 && worker.LastSeen + timeout <= now).ToArray())
        {
            RemoveWorker(worker, now);
        }
    }

    private void RemoveWorker(WorkerEntry worker, DateTimeOffset now)
    {
        while (worker.Running.Count > 0)
        {
            tasks.Fail(worker.Running[^1], $"worker {worker.Id} is gone", now);
        }

        core.Workers.Remove(worker);
        monitor.OnRemoved(worker);
        if (worker.Home == core.Settings.Id && core.Loans.Find(worker.Id) is null)
        {
            core.Report(new WorkerLeft(worker.Id, worker.Home));
        }
    }
}

/// <summary>What a loan has to say to a worker that asks for a task.</summary>
internal enum LoanInstruction : byte
{
    /// <summary>Nothing: it may have a task.</summary>
    None = 1,

    /// <summary>Its order has been sent.</summary>
    Sent,

    /// <summary>An order is coming, or was just given: neither a task nor an answer now.</summary>
    Wait,
}
