using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Simulation.Faults;
using Mesh.Simulation.Time;
using MeshAspire.Worker.Core;

namespace Mesh.Simulation.Nodes;

/// <summary>One attempt at a task. It takes time and calls the ledger at some point. It can be cancelled, or its process can end, before, during or after the call.</summary>
internal sealed class WorkerAttempt(
    SimWorld world, string server, NewTask task, Random random, WorkPlan plan, Action<AttemptResult> ended)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongWork = TimeSpan.FromSeconds(15);

    /// <summary>How long an attempt that ignores its cancellation continues. Longer than a worker waits for it.</summary>
    private static readonly TimeSpan CancellationDelay = TimeSpan.FromSeconds(10);

    private readonly bool _ignoresCancellation = random.Chance(plan.IgnoresCancellation);
    private TimeSpan _begin;
    private TimeSpan _workEnd;
    private TimeSpan _wait = TimeSpan.FromMilliseconds(200);
    private bool _over;
    private bool _lost;

    public string Server { get; } = server;

    public NewTask Task { get; } = task;

    /// <summary>True when the worker has handed the task back, or has left its server, while the handler continues.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>True when a mutation has told the worker's core that the attempt has ended.</summary>
    public bool IsReportedEarly { get; set; }

    /// <summary>The part of the work that is done.</summary>
    public double Progress => _workEnd <= _begin ? 1 : Math.Clamp((world.Scheduler.Now - _begin) / (_workEnd - _begin), 0, 1);

    /// <summary>True when the work takes longer than a task lease.</summary>
    public bool IsLong => _workEnd - _begin >= LongWork;

    public void Begin()
    {
        var work = _ignoresCancellation ? random.Seconds(5, 40) : plan.Long > 0 && random.Chance(plan.Long) ? random.Seconds(LongWork.TotalSeconds, 90) : random.Seconds(plan.Low, plan.High);
        _begin = world.Scheduler.Now;
        _workEnd = world.Scheduler.Now + work;
        world.Scheduler.After(work * random.NextDouble(), CallLedger);
        if (random.Chance(plan.Failing))
        {
            world.Coverage.Count("worker: handler fails");
            world.Scheduler.After((work * random.From(0, 1.2)) + TimeSpan.FromMilliseconds(2 * random.NextDouble()), () => Fail());
        }
    }

    /// <summary>The handler fails. A call that it made, or that a part of it still makes, may take effect.</summary>
    public void Fail()
    {
        if (!_over && Task.Type != WorkloadTypes.Report && random.Chance(0.3))
        {
            world.Scheduler.After(random.Seconds(0, 8), () => world.Ledger.Call(Apply, _ => { }));
        }

        // Some handlers know that the task can never succeed, others when it is worth another attempt.
        End(new(TaskOutcome.Nok, null, "failed", null) { MayRetry = !random.Chance(0.1), RetryAfter = random.Chance(0.2) ? random.Seconds(0, 10) : null });
    }

    /// <summary>The handler ends soon. A call in progress is not cancelled.</summary>
    public void Cancel()
    {
        if (_ignoresCancellation)
        {
            world.Coverage.Count("worker: handler ignores its cancellation");
            _workEnd = world.Scheduler.Now + CancellationDelay;
            world.Scheduler.At(_workEnd, () => End(new(TaskOutcome.Nok, null, "late", null)));
            return;
        }

        world.Scheduler.After(random.Seconds(0, 0.02), () => End(new(TaskOutcome.Nok, null, "cancelled", null)));
    }

    /// <summary>The process has ended. A call to the ledger may already have been sent.</summary>
    public void OnProcessEnded()
    {
        _lost = random.Chance(0.5);
        _over = true;
    }

    private void CallLedger()
    {
        if (_over)
        {
            return;
        }

        if (Task.Type == WorkloadTypes.Report)
        {
            world.Coverage.Count("task: attempt at a REPORT");
            world.Scheduler.At(_workEnd, () => EndAtLast(new AttemptResult(TaskOutcome.Ok, RawJson.Copy("""{"rows":[]}"""u8), null, null)));
            return;
        }

        world.Ledger.Call(() => _lost ? default : Apply(), OnAnswer);
    }

    private LedgerUpdate Apply() => Task.Type == TaskType.Update ? world.Ledger.Update(Task.User!, Task.Amount!.Value, Task.Id!.Value)
        : Task.Type != TaskType.Query ? throw new InvalidOperationException($"Unknown type {Task.Type}.")
        : world.Ledger.Find(Task.User!) is { } balance ? new LedgerUpdate(LedgerOutcome.Applied, balance)
        : new(LedgerOutcome.UnknownUser);

    private void OnAnswer(LedgerUpdate? answer)
    {
        if (_over)
        {
            return;
        }

        if (answer is not { } update)
        {
            world.Scheduler.After(_wait, CallLedger);
            _wait = _wait * 2 < LongestWait ? _wait * 2 : LongestWait;
            return;
        }

        var result = update.Outcome == LedgerOutcome.Applied
            ? new AttemptResult(TaskOutcome.Ok, RawJson.Of(update.Balance!.Value), null, null) { Then = world.FollowUpCheck.ThenOf(Server, Task) }
            : new AttemptResult(TaskOutcome.Nok, null, update.Outcome.ToString(), null);
        world.Scheduler.At(_workEnd, () => EndAtLast(result));
    }

    // An attempt that ignores its cancellation has a later end now, and ends then with the answer that it had.
    private void EndAtLast(AttemptResult result)
    {
        if (world.Scheduler.Now < _workEnd)
        {
            world.Scheduler.At(_workEnd, () => End(result));
        }
        else
        {
            End(result);
        }
    }

    private void End(AttemptResult result)
    {
        if (!_over)
        {
            _over = true;
            ended(result);
        }
    }
}
