using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Where workers present themselves: each get_task is answered with an order, a task, or held.</summary>
internal sealed class WorkerDesk(CoreState core, TaskFlow tasks, WorkerMonitor monitor, Lender lender, Borrower borrower)
{
    /// <summary>Open connections of one worker that are replaced within <see cref="TwinWindow"/>, at which two workers are taken to share its id.</summary>
    private const int TwinTurns = 4;

    private static readonly TimeSpan TwinWindow = TimeSpan.FromMinutes(10);

    /// <summary>A line worker is looked for this often.</summary>
    private static readonly TimeSpan LineCheck = TimeSpan.FromSeconds(1);

    private static readonly NoTask NoTaskMessage = new();

    private DateTimeOffset _nextLineCheck;

    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = core.Workers.NextDeadline;
            return core.Workers.HasLineWorkers && !(next < _nextLineCheck) ? _nextLineCheck : next;
        }
    }

    public void OnGetTask(SessionId session, Framing framing, GetTask message, DateTimeOffset now)
    {
        if (HomeOf(message) is not { } home)
        {
            core.Refuse(session, message, $"SERVER_UUID: \"{message.Home}\" is not a peer of \"{core.Settings.Id}\"");
            return;
        }

        if (framing == Framing.WebSocket && core.Workers.Find(message.Worker)?.Session is { } newer && newer.Value > session.Value)
        {
            // Sent before the worker opened a newer connection, and overtaken by it.
            return;
        }

        if (core.Workers.All.Count >= core.Settings.Tasks.MaxWorkers && core.Workers.Find(message.Worker) is null)
        {
            core.Refuse(session, message, $"WORKER_UUID: there are {core.Settings.Tasks.MaxWorkers} workers already (Mesh__Sessions__MaxWorkers)");
            return;
        }

        var worker = Present(session, framing, message, home, now);
        if (worker.OneAtATime)
        {
            AskedAgain(worker, now);
        }

        DismissOther(worker, framing);

        if (core.Workers.FindLineAsk(session) is { } older)
        {
            Dismiss(older);
        }

        Answer(worker, session, framing, now, message.TraceParent);
    }

    public void OnSessionClosed(SessionId session, SessionEnd end, DateTimeOffset now)
    {
        var workers = core.Workers.Close(session, now);
        foreach (var task in core.Deliveries.Close(session, end, now))
        {
            tasks.TakeBack(task, end == SessionEnd.Dropped ? "its connection was dropped" : "its connection was reset", now);
        }

        foreach (var worker in workers)
        {
            if (worker.Running.Count == 0 && core.Loans.Find(worker.Id) is { State: LoanState.Lent or LoanState.Returned })
            {
                Forget(worker, now);
            }
        }
    }

    public void OnTimer(DateTimeOffset now)
    {
        while (core.Workers.TryTakeExpired(now, out var ask))
        {
            // A parked one too: that a worker's other slots still wait does not say that it stays; that it asks again does.
            core.Send(ask.Session, NoTaskMessage);
        }

        while (core.Workers.FindLost(now) is { } lost)
        {
            Forget(lost, now);
        }

        if (_nextLineCheck <= now)
        {
            _nextLineCheck = now + LineCheck;
            ForgetSilentLineWorkers(now);
        }
    }

    /// <summary>Gives what an order or a task was waiting for to the asks of a worker that were parked.</summary>
    public void Reconsider(WorkerEntry worker, DateTimeOffset now)
    {
        if (worker.Home != core.Settings.Id && core.Loans.Find(worker.Id) is null)
        {
            Leave(worker, now);
            return;
        }

        foreach (var ask in worker.Asks.ToArray())
        {
            if (worker.Asks.Contains(ask))
            {
                core.Workers.Drop(ask);
                Answer(worker, ask.Session, ask.Framing, now);
            }
        }
    }

    /// <summary>A worker's pause is over, or it need not pause any more: gives its held asks tasks, or lets them wait for some.</summary>
    public void Resume(WorkerEntry worker, DateTimeOffset now)
    {
        if (core.Loans.Find(worker.Id)?.State is not (null or LoanState.Expected or LoanState.Arrived or LoanState.Releasing))
        {
            return;
        }

        foreach (var ask in worker.Asks.ToArray())
        {
            if (!worker.Health.MayTake(worker.Running.Count, now))
            {
                return;
            }

            if (tasks.TryGive(worker, ask.Session, now))
            {
                core.Workers.Drop(ask);
            }
            else
            {
                core.Workers.Unpark(ask);
            }
        }
    }

    /// <summary>The server that a worker belongs to, by id or by address; null for a stranger's.</summary>
    private ServerId? HomeOf(GetTask message)
    {
        if (message.Home is not { } home || home == core.Settings.Id)
        {
            return core.Settings.Id;
        }

        return core.Peers.FindHome(home)?.Id ?? (home.Value == core.Settings.Advertise.ToString() ? (ServerId?)core.Settings.Id : null);
    }

    private WorkerEntry Present(SessionId session, Framing framing, GetTask message, ServerId home, DateTimeOffset now)
    {
        var worker = core.Workers.Find(message.Worker);
        var isNew = worker is null;
        worker ??= core.Workers.Add(message.Worker, home);
        if (worker.IsGone)
        {
            monitor.OnRestarted(worker);
        }

        if (core.Workers.Bind(worker, session, framing, now))
        {
            NoteReplaced(worker, now);
        }

        worker.Home = home;
        core.Workers.SetHandles(worker, message.Tasks ?? TaskTypes.Query);
        worker.OneAtATime = message.Tasks is null;
        if (isNew && home == core.Settings.Id)
        {
            core.Tell(new WorkerJoined(worker.Id, home, framing));
        }
        else if (isNew)
        {
            monitor.OnGuestCame(worker, now);
        }

        return worker;
    }

    /// <summary>A worker replaces a connection that it has lost unnoticed once; two workers of one id do it by turns.</summary>
    private void NoteReplaced(WorkerEntry worker, DateTimeOffset now)
    {
        if (now - worker.ReplacedSince > TwinWindow)
        {
            (worker.ReplacedSince, worker.Replaced) = (now, 0);
        }

        if (++worker.Replaced == TwinTurns)
        {
            core.Tell(new WorkerIdShared(worker.Id));
        }
    }

    private void Answer(WorkerEntry worker, SessionId session, Framing framing, DateTimeOffset now, string? trace = null)
    {
        var park = worker.Home == core.Settings.Id
            ? lender.Order(worker, session, now, trace)
            : borrower.Order(worker, session, now, trace);
        switch (park)
        {
            case DeskOrder.Given:
                break;
            case DeskOrder.Wait or DeskOrder.None when worker.Asks.Count + worker.Running.Count >= core.Settings.Tasks.MaxPerWorker:
                core.Send(session, NoTaskMessage);
                break;
            case DeskOrder.Wait:
                core.Workers.Hold(worker, session, framing, parked: true, now);
                break;
            case DeskOrder.None when tasks.TryGive(worker, session, now):
                break;
            case DeskOrder.None:
                core.Workers.Hold(worker, session, framing, parked: false, now);
                break;
            default:
                throw new InvalidOperationException($"Order {park} is unknown.");
        }
    }

    /// <summary>A worker of one task at a time that asks again has neither the task nor the connection that it had.</summary>
    private void AskedAgain(WorkerEntry worker, DateTimeOffset now)
    {
        while (worker.Asks.Count > 0)
        {
            Dismiss(worker.Asks[^1]);
        }

        while (worker.Running.Count > 0)
        {
            tasks.Fail(worker.Running[^1], "the worker asked again without a status", now);
        }
    }

    /// <summary>A worker that comes back with the other framing has left the connections that it had.</summary>
    private void DismissOther(WorkerEntry worker, Framing framing)
    {
        for (var i = worker.Asks.Count - 1; i >= 0; i--)
        {
            if (worker.Asks[i].Framing != framing)
            {
                Dismiss(worker.Asks[i]);
            }
        }
    }

    /// <summary>The loan of a guest is over, and it has gone home. Should it be here after all, it asks again.</summary>
    private void Leave(WorkerEntry guest, DateTimeOffset now)
    {
        while (guest.Asks.Count > 0)
        {
            Dismiss(guest.Asks[^1]);
        }

        if (guest.Running.Count == 0)
        {
            Forget(guest, now);
        }
    }

    private void Dismiss(Ask ask)
    {
        core.Workers.Drop(ask);
        core.Send(ask.Session, NoTaskMessage);
    }

    private void ForgetSilentLineWorkers(DateTimeOffset now)
    {
        if (!core.Workers.HasLineWorkers)
        {
            return;
        }

        var timeout = core.Settings.Tasks.LineWorkerTimeout;
        foreach (var worker in core.Workers.All.Where(worker =>
            worker.Framing == Framing.Line && worker.Running.Count == 0 && worker.LastSeen + timeout <= now).ToArray())
        {
            Forget(worker, now);
        }
    }

    private void Forget(WorkerEntry worker, DateTimeOffset now)
    {
        while (worker.Running.Count > 0)
        {
            tasks.Fail(worker.Running[^1], $"worker {worker.Id} is gone", now);
        }

        core.Workers.Remove(worker);
        monitor.OnRemoved(worker);
        if (worker.Home == core.Settings.Id && core.Loans.Find(worker.Id) is null)
        {
            core.Tell(new WorkerLeft(worker.Id, worker.Home));
        }
    }
}
