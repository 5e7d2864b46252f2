using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Workers;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Server.Core.Tasks;

/// <summary>Handles task_status with RUNNING: renews the task lease, and tells the worker to end an attempt (docs/protocol.md, "Long work").</summary>
internal sealed class RunningStatusHandler(CoreState core, WorkerMonitor monitor)
{
    /// <summary>Handles a RUNNING, and answers it.</summary>
    /// <param name="task">The task that it names, or null when it is unknown.</param>
    /// <param name="ack">The answer without CANCEL.</param>
    public void OnRunning(SessionId session, Framing framing, TaskStatus status, TaskEntry? task, Ack ack, DateTimeOffset now)
    {
        var worker = core.Workers.Find(status.Worker);
        if (framing == Framing.WebSocket && worker?.Session is { } newer && newer.Value > session.Value)
        {
            // The worker sent this message before it opened its present connection.
            return;
        }

        core.Send(session, ack with { Cancel = !TryContinue(session, framing, status, task, worker, now) });
    }

    /// <summary>
    /// Returns whether a worker that reports that it runs a queued task may go on. The task is queued again although the worker has it when this server has restarted, when the
    /// connection was lost with the task, or when the worker was removed. The attempt then has no other end than the one that the worker reports, so it is continued, as one more
    /// counted attempt, and no other worker receives the task. An attempt that failed on this worker for another reason was counted with its error, and one that the worker handed
    /// back has ended: both are not continued. A late RUNNING of a worker that has left costs one task lease, because no status and no further RUNNING follows it.
    /// </summary>
    private static bool CanResume(TaskEntry task, WorkerId worker) =>
        task.LostBy == worker || task.UndeliveredTo == worker || !(task.HasFailedOn(worker) || (task.UncountedReturns > 0 && task.LastWorker == worker));

    /// <summary>Returns false when the worker must end the attempt.</summary>
    private bool TryContinue(SessionId session, Framing framing, TaskStatus status, TaskEntry? task, WorkerEntry? worker, DateTimeOffset now)
    {
        switch (task?.Step)
        {
            case TaskStep.Running when task.Worker == worker:
                Bind(worker!, session, framing, now);
                DeliveryTracker.Confirm(task, worker!);
                break;
            case TaskStep.Queued or TaskStep.Scheduled when core.Stopping && CanResume(task, status.Worker):
                // A stopping server starts no attempt. The next process can resume this one.
                return true;
            case TaskStep.Queued or TaskStep.Scheduled when !core.Stopping && CanResume(task, status.Worker) && (worker ?? Register(status.Worker, framing, now)) is { } holder && HasRoom(holder):
                worker = holder;
                Bind(worker, session, framing, now);
                DeliveryTracker.Confirm(task, worker);
                Resume(task, worker, now);
                break;
            case null or TaskStep.Queued or TaskStep.Scheduled or TaskStep.Running or TaskStep.Storing or TaskStep.Invalidating or TaskStep.Settling:
                return false;
            default:
                throw new InvalidOperationException($"Task step {task.Step} is unknown.");
        }

        task.Progress = status.Progress ?? task.Progress;
        if (!task.IsCancelRequested)
        {
            core.Tasks.RenewLease(task, now);
            return true;
        }

        if (!task.IsCancelSent)
        {
            // The worker has one more task lease to end. A handler that ignores its cancellation does not keep the task unsettled.
            task.IsCancelSent = true;
            core.Tasks.RenewLease(task, now);
        }

        return false;
    }

    /// <summary>Assigns a queued task to the worker that runs it. The task lease and the timeout start again.</summary>
    private void Resume(TaskEntry task, WorkerEntry worker, DateTimeOffset now)
    {
        core.Tasks.Detach(task, now);
        core.Tasks.StartAttempt(task, worker, now);
        (task.SentOn, task.UndeliveredTo) = (default, null);
        core.Report(new TaskResumed(task.Record, worker.Id));
        if (worker.Health.IsLimited)
        {
            PollRegistry.Suspend(worker);
        }
    }

    private bool HasRoom(WorkerEntry worker) => worker.Running.Count < core.Settings.Tasks.MaxPerWorker;

    /// <summary>
    /// Adds a worker that this server does not know, because it has restarted: a worker whose slots are all occupied sends no get_task. Its task types are those of its next
    /// get_task. Returns null when there are too many workers.
    /// </summary>
    private WorkerEntry? Register(WorkerId id, Framing framing, DateTimeOffset now)
    {
        if (core.Workers.All.Count >= core.Settings.Sessions.MaxWorkers)
        {
            return null;
        }

        var loan = core.Loans.Find(id);
        var home = loan is { Record.Role: LoanRole.Borrower } ? loan.Peer : core.Settings.Id;
        var worker = core.Workers.Add(id, home, hasLoan: loan is not null);
        if (home == core.Settings.Id)
        {
            core.Report(new WorkerJoined(id, home, framing));
        }
        else
        {
            monitor.OnBorrowedWorkerArrived(worker, now);
        }

        return worker;
    }

    /// <summary>
    /// Binds a worker to the WebSocket of its RUNNING, as its get_task would. A worker that has reconnected and whose slots are all occupied sends no get_task, and would be removed
    /// at the end of its grace period.
    /// </summary>
    private void Bind(WorkerEntry worker, SessionId session, Framing framing, DateTimeOffset now)
    {
        worker.LastSeen = now;
        var isNew = worker.Framing == default;
        if (isNew || (framing == Framing.WebSocket && worker.Framing == Framing.WebSocket && worker.Session != session))
        {
            if (worker.IsGone)
            {
                monitor.OnReconnected(worker);
            }

            core.Workers.Bind(worker, session, framing, now);
        }
    }
}
