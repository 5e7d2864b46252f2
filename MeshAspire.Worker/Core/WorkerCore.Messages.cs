using Mesh.Protocol;
using static MeshAspire.Worker.Core.WorkerEffect;

namespace MeshAspire.Worker.Core;

/// <summary>Handles the messages of the server and the results of attempts.</summary>
internal sealed partial class WorkerCore
{
    private void OnMessage(MeshMessage message, TimeSpan now)
    {
        _reconnectBackoff.Reset();
        ReportReached();
        switch (message)
        {
            case Ack ack:
                OnAck(ack);
                break;
            case NewTask task:
                _pendingPolls.RecordAnswer(now);
                OnNewTask(task, now);
                break;
            case NoTask:
                _pendingPolls.DelayIfNotHeld(_pendingPolls.RecordAnswer(now) ?? TimeSpan.Zero, now);
                break;
            case Redirect redirect:
                _pendingPolls.RecordAnswer(now);
                OnRedirect(redirect, now);
                break;
            case Return back:
                _pendingPolls.RecordAnswer(now);
                OnReturn(back, now);
                break;
            case Rejection rejection when _running.HasUnanswered:
                // It does not name what it answers. A get_task that it answers instead is sent again after its time limit.
                OnRunningRejected(rejection.Error);
                break;
            case Rejection rejection:
                _pendingPolls.RecordAnswer(now);
                OnRejection(rejection, now);
                break;
            default:
                Report(new WorkerEvent.UnexpectedMessage(message.GetType().Name));
                break;
        }
    }

    private void OnNewTask(NewTask task, TimeSpan now)
    {
        _pendingPolls.ResetDelay();
        if (task.Id is { } id && _attempts.IsRunning(id))
        {
            return; // The server took this worker for lost and sent the task again. The status of the running attempt settles both.
        }

        if (!_handles.Contains(task.Type))
        {
            Answer(task, new(TaskOutcome.Nok, null, "this worker does not handle tasks of this type", task.TraceParent), handedBack: true);
        }
        else if (_attempts.Count >= _options.Concurrency)
        {
            Answer(task, new(TaskOutcome.Nok, null, "this worker has no free slot", task.TraceParent), handedBack: true);
        }
        else
        {
            var attempt = _attempts.Begin(task);
            _running.Add(attempt, now);
            _effects.Add(new RunAttempt(attempt.Key, task));
        }
    }

    private void OnAttemptEnded(WorkerInput.AttemptEnded ended)
    {
        if (_attempts.End(ended.Attempt) is not { } attempt)
        {
            return;
        }

        RunningReports.Remove(attempt);
        if (attempt.Abandoned)
        {
            Report(new WorkerEvent.AbandonedAttemptEnded());
            return;
        }

        if (_drain is { IsServerUnreachable: true })
        {
            return;
        }

        var result = ended.Result;
        var handedBack = attempt is { Cancelled: true, CancelledByServer: false } && result.Outcome == TaskOutcome.Nok && _drain is not null;
        Answer(attempt.Task, handedBack ? result with { Error = _drain!.Reason } : result, handedBack);
    }

    private void Answer(NewTask task, AttemptResult result, bool handedBack = false) => _unacknowledged.Add(new(result.Outcome, task.Type, _options.Id)
    {
        Id = task.Id,
        Result = result.Result,
        Then = result.Then,
        MayRetry = result.MayRetry,
        RetryAfter = result.RetryAfter,
        Error = result.Error,
        HandedBack = handedBack,
        TraceParent = result.TraceParent,
    });

    private void OnRedirect(Redirect redirect, TimeSpan now)
    {
        if (_drain is not null)
        {
            return;
        }

        if (!_serverTarget.IsHome)
        {
            OnBorrowerRejection("it sent a REDIRECT", now);
        }
        else if (!_redirects.Allows(redirect.Target))
        {
            Report(new WorkerEvent.RedirectRefused(redirect.Target));
            _pendingPolls.Pause(now);
        }
        else
        {
            Report(new WorkerEvent.RedirectAccepted(redirect.Target) { TraceParent = redirect.TraceParent });
            var framing = redirect.Framing == Framing.Line ? Framing.Line : _options.Framing;
            BeginDrain(new(redirect.Target, framing), Timing.DrainTimeout, now, "the worker is redirected", redirect.TraceParent);
        }
    }

    private void OnReturn(Return back, TimeSpan now)
    {
        if (_serverTarget.IsHome)
        {
            Report(new WorkerEvent.ReturnIgnored(back.Target));
            _pendingPolls.Pause(now);
        }
        else if (_drain is null)
        {
            Report(new WorkerEvent.ReturnAccepted(back.Target) { TraceParent = back.TraceParent });
            BeginDrain(_home, Timing.DrainTimeout, now, "the worker returns home", back.TraceParent);
        }
    }

    private void OnRejection(Rejection rejection, TimeSpan now)
    {
        if (_serverTarget.IsHome)
        {
            Report(new WorkerEvent.Rejected(rejection.Error));
            _pendingPolls.Pause(now);
        }
        else if (_drain is null)
        {
            OnBorrowerRejection(rejection.Error, now);
        }
    }

    private void OnBorrowerRejection(string why, TimeSpan now)
    {
        Report(new WorkerEvent.RejectedByBorrower(_serverTarget, why));
        BeginDrain(_home, Timing.DrainTimeout, now, "the worker returns home");
    }
}
