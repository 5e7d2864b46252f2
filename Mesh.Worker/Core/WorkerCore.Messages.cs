using Mesh.Protocol;
using static Mesh.Worker.Core.WorkerEffect;

namespace Mesh.Worker.Core;

/// <summary>What a server says, and what came of its tasks.</summary>
internal sealed partial class WorkerCore
{
    private void OnMessage(MeshMessage message, TimeSpan now)
    {
        _contact.Good();
        Reach();
        switch (message)
        {
            case Ack ack:
                _statuses.Acknowledge(ack.Id);
                break;
            case NewTask task:
                _asks.Answered(now);
                OnNewTask(task);
                break;
            case NoTask:
                _asks.Idle(_asks.Answered(now) ?? TimeSpan.Zero, now);
                break;
            case Redirect redirect:
                _asks.Answered(now);
                OnRedirect(redirect, now);
                break;
            case Return back:
                _asks.Answered(now);
                OnReturn(back, now);
                break;
            case Rejection rejection:
                _asks.Answered(now);
                OnRejection(rejection, now);
                break;
            default:
                Tell(new WorkerEvent.Unexpected(message.GetType().Name));
                break;
        }
    }

    private void OnNewTask(NewTask task)
    {
        _asks.Busy();
        if (task.Id is { } id && _attempts.IsRunning(id))
        {
            return; // a server that took this worker for gone gives it out again; the status of the attempt at hand answers both
        }

        if (!_settings.Handles.Handles(task.Type))
        {
            Answer(task, new(TaskOutcome.Nok, null, "this worker does not handle such tasks", task.TraceParent), handedBack: true);
        }
        else if (_attempts.Count >= _settings.Concurrency)
        {
            Answer(task, new(TaskOutcome.Nok, null, "this worker has no free slot", task.TraceParent), handedBack: true);
        }
        else
        {
            _effects.Add(new RunAttempt(_attempts.Begin(task), task));
        }
    }

    private void OnAttemptEnded(WorkerInput.AttemptEnded ended)
    {
        if (_attempts.End(ended.Attempt) is not { } attempt || _departure is { ServerIsLost: true })
        {
            return;
        }

        var result = ended.Result;
        var handedBack = attempt.Cancelled && result.Outcome == TaskOutcome.Nok && _departure is not null;
        Answer(attempt.Task, handedBack ? result with { Error = _departure!.Reason } : result, handedBack);
    }

    private void Answer(NewTask task, AttemptResult result, bool handedBack = false) => _statuses.Add(new(result.Outcome, task.Type, _settings.Id)
    {
        Id = task.Id,
        Result = result.Balance,
        Error = result.Error,
        HandedBack = handedBack,
        TraceParent = result.TraceParent,
    });

    private void OnRedirect(Redirect redirect, TimeSpan now)
    {
        if (_departure is not null)
        {
            return;
        }

        if (!_place.IsHome)
        {
            TurnAway("it sent a redirect", now);
        }
        else if (!_settings.Redirects.Allows(redirect.Target))
        {
            Tell(new WorkerEvent.RefusedRedirect(redirect.Target));
            _asks.Pause(now);
        }
        else
        {
            Tell(new WorkerEvent.Lent(redirect.Target) { TraceParent = redirect.TraceParent });
            var framing = redirect.Framing == Framing.Line ? Framing.Line : _settings.Framing;
            Depart(new(redirect.Target, framing), Timing.DepartureLimit, now, "the worker is called away", redirect.TraceParent);
        }
    }

    private void OnReturn(Return back, TimeSpan now)
    {
        if (_place.IsHome)
        {
            Tell(new WorkerEvent.IgnoredReturn(back.Target));
            _asks.Pause(now);
        }
        else if (_departure is null)
        {
            Tell(new WorkerEvent.CalledHome(back.Target) { TraceParent = back.TraceParent });
            Depart(_home, Timing.DepartureLimit, now, "the worker is called home", back.TraceParent);
        }
    }

    private void OnRejection(Rejection rejection, TimeSpan now)
    {
        if (_place.IsHome)
        {
            Tell(new WorkerEvent.Rejected(rejection.Error));
            _asks.Pause(now);
        }
        else if (_departure is null)
        {
            TurnAway(rejection.Error, now);
        }
    }

    private void TurnAway(string why, TimeSpan now)
    {
        Tell(new WorkerEvent.TurnedAway(_place, why));
        Depart(_home, Timing.DepartureLimit, now, "the worker is called home");
    }
}
