using Mesh.Protocol;
using static MeshAspire.Worker.Core.WorkerEffect;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace MeshAspire.Worker.Core;

/// <summary>Reports attempts that go on, and ends those that the server cancels (docs/protocol.md, "Long work").</summary>
internal sealed partial class WorkerCore
{
    private void SendRunning(TimeSpan now)
    {
        while (_running.TakeDue(now, UsesLineFraming) is { Task: var task } attempt)
        {
            _effects.Add(new SendRunning(_link, attempt.Key, new TaskStatus(TaskOutcome.Running, task.Type, _options.Id) { Id = task.Id, TraceParent = task.TraceParent }));
        }
    }

    private void OnAck(Ack ack)
    {
        if (_running.Acknowledge(ack.Id) is { } task)
        {
            OnRunningAcknowledged(task, ack.Cancel);
        }
        else
        {
            _unacknowledged.Acknowledge(ack.Id);
        }
    }

    private void OnRunningAcknowledged(TaskId task, bool cancel)
    {
        if (!cancel || _attempts.Find(task) is not { CancelledByServer: false } attempt)
        {
            return;
        }

        attempt.CancelledByServer = true;
        RunningReports.Remove(attempt);
        Report(new WorkerEvent.AttemptCancelled(task));
        if (!attempt.Cancelled)
        {
            attempt.Cancelled = true;
            _effects.Add(new CancelAttempt(attempt.Key));
        }
    }

    private void OnRunningRejected(string error)
    {
        _running.Refuse();
        Report(new WorkerEvent.RunningRejected(_serverTarget, error));
    }

    /// <summary>
    /// Hands the tasks back whose handlers do not end after their cancellation, and abandons the attempts. The worker leaves when the server has acknowledged that, and can then
    /// accept tasks of the next server on its other slots: the abandoned tasks are no longer its own.
    /// </summary>
    private void HandBackUnfinished(Drain drain)
    {
        var abandoned = _attempts.Abandon();
        foreach (var attempt in abandoned)
        {
            RunningReports.Remove(attempt);
            Answer(attempt.Task, new(TaskOutcome.Nok, null, drain.Reason, attempt.Task.TraceParent), handedBack: !attempt.CancelledByServer);
        }

        ReportAbandoned(abandoned.Count);
    }

    private void ReportAbandoned(int count)
    {
        if (count > 0)
        {
            Report(new WorkerEvent.AttemptsAbandoned(count, Math.Max(0, _options.Concurrency - _attempts.Count)));
        }
    }
}
