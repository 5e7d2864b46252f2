using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// Records on which session each running task was sent, and which tasks are known to have reached their worker. A session delivers messages in order, so a status
/// for one task confirms that the tasks sent before it on the same session arrived too.
/// </summary>
internal sealed class DeliveryTracker
{
    /// <summary>
    /// A task that was sent this long before a reset counts as received. A worker that reads nothing for this time does not answer the pings of the WebSocket either,
    /// and its connection would have been closed earlier.
    /// </summary>
    public static readonly TimeSpan MaxUnconfirmedAge = TimeSpan.FromSeconds(20);

    private readonly Dictionary<SessionId, HashSet<WorkerEntry>> _receivers = [];
    private long _order;

    /// <summary>The number of sessions on which tasks were sent.</summary>
    public int Sessions => _receivers.Count;

    /// <summary>Records that a task is sent to a worker on a session.</summary>
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

    /// <summary>Records that a worker received a task. Called when a status for the task arrives.</summary>
    public static void Confirm(TaskEntry task, WorkerEntry worker)
    {
        if (task.UndeliveredTo == worker.Id && task.Worker != worker)
        {
            worker.ResetsAfterReading = true;
        }

        if (task.SentOn == default)
        {
            // This process has not sent the task.
            return;
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

    /// <summary>Removes a session that has ended.</summary>
    /// <returns>The running tasks that were sent on the session and did not reach their worker.</returns>
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
