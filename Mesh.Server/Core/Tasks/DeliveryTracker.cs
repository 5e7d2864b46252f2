using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// On which session each running task was sent, and how far its worker has shown that it received what was sent there. A session delivers in order, so a status
/// for one task shows that the tasks sent before it on the same session arrived too.
/// </summary>
internal sealed class DeliveryTracker
{
    /// <summary>
    /// A task that was sent earlier than this before a reset was received: a peer that reads nothing for so long does not answer a WebSocket's pings either.
    /// </summary>
    public static readonly TimeSpan MaxUnconfirmedAge = TimeSpan.FromSeconds(20);

    private readonly Dictionary<SessionId, HashSet<WorkerEntry>> _receivers = [];
    private long _order;

    public int Sessions => _receivers.Count;

    /// <summary>A task goes out to a worker.</summary>
    public void RecordSent(TaskEntry task, WorkerEntry worker, SessionId session)
    {
        (task.SentOn, task.SendOrder) = (session, ++_order);
        if (worker.LastSentOn == session)
        {
            return;
        }

        worker.LastSentOn = session;
        if (!_receivers.TryGetValue(session, out var workers))
        {
            _receivers.Add(session, workers = []);
        }

        workers.Add(worker);
    }

    /// <summary>A worker reports on a task, so it received this one.</summary>
    public static void Confirm(TaskEntry task, WorkerEntry worker)
    {
        if (task.UndeliveredTo == worker.Id && task.Worker != worker)
        {
            worker.ResetsAfterReading = true;
        }

        if (worker.ConfirmedOn != task.SentOn)
        {
            (worker.ConfirmedOn, worker.ConfirmedOrder) = (task.SentOn, task.SendOrder);
        }
        else if (worker.ConfirmedOrder < task.SendOrder)
        {
            worker.ConfirmedOrder = task.SendOrder;
        }
    }

    /// <summary>Forgets a session that has ended, and returns the tasks that were lost with it.</summary>
    public List<TaskEntry> Close(SessionId session, SessionEnd end, DateTimeOffset now)
    {
        var lost = new List<TaskEntry>();
        if (!_receivers.Remove(session, out var workers))
        {
            return lost;
        }

        foreach (var worker in workers)
        {
            if (worker.LastSentOn == session)
            {
                worker.LastSentOn = default;
            }

            lost.AddRange(worker.Running.Where(task => task.SentOn == session && IsLost(task, worker, end, now)));
        }

        return lost;
    }

    private static bool IsLost(TaskEntry task, WorkerEntry worker, SessionEnd end, DateTimeOffset now) => end switch
    {
        SessionEnd.Closed => false,
        SessionEnd.Reset => !worker.ResetsAfterReading
            && now - task.StartedAt < MaxUnconfirmedAge
            && !(worker.ConfirmedOn == task.SentOn && task.SendOrder <= worker.ConfirmedOrder),
        SessionEnd.Dropped => true,
        _ => throw new InvalidOperationException($"Session end {end} is unknown."),
    };
}
