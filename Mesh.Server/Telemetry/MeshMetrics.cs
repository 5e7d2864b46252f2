using System.Diagnostics.Metrics;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;

namespace Mesh.Server.Telemetry;

/// <summary>The metrics of messages, tasks, workers and loans. Ids are never tags.</summary>
internal sealed class MeshMetrics
{
    private static readonly TimeSpan SnapshotAge = TimeSpan.FromMilliseconds(500);

    private readonly Counter<long> _protocolErrors;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _schedulesFired;
    private readonly Histogram<double> _queueTime;
    private readonly Histogram<double> _attemptTime;
    private readonly Histogram<double> _loanTime;

    private readonly CoreInputQueue _inputs;
    private readonly TimeProvider _time;
    private (ServerGauges? Gauges, long At)? _last;

    public MeshMetrics(IMeterFactory meters, CoreInputQueue inputs, TimeProvider time)
    {
        (_inputs, _time) = (inputs, time);
        var meter = meters.Create(MeshTelemetry.Name);
        _protocolErrors = meter.CreateCounter<long>(
            "mesh.protocol.errors", "{error}", "Number of received messages that could not be read, by kind of error and by framing.");
        _attempts = meter.CreateCounter<long>(
            "mesh.task.attempts", "{attempt}", "Number of attempts at tasks that have ended, by task type and by result: done, retried, returned, dead or cancelled.");
        _queueTime = meter.CreateHistogram<double>("mesh.task.queue.duration", "s", "Time that a task waits in the queue until a worker gets it, by task type.");
        _attemptTime = meter.CreateHistogram<double>("mesh.task.attempt.duration", "s", "Time from when a worker gets a task until this attempt ends, by task type.");
        _loanTime = meter.CreateHistogram<double>(
            "mesh.loan.duration", "s", "Time from the first step of a loan until its end, by the role of this server: owner or borrower of the worker.");
        _schedulesFired = meter.CreateCounter<long>("mesh.schedules.fired", "{task}", "Number of tasks that schedules have started, by task type.");
        meter.CreateObservableGauge("mesh.queue.depth", () => Measure(gauges => gauges.Queue), "{task}", "Number of tasks that wait for a worker.");
        meter.CreateObservableGauge("mesh.tasks.running", () => Measure(gauges => gauges.Running), "{task}", "Number of tasks that workers are processing.");
        meter.CreateObservableGauge("mesh.tasks.scheduled", () => Measure(gauges => gauges.Scheduled), "{task}", "Number of tasks that wait until a time.");
        meter.CreateObservableGauge(
            "mesh.tasks.adopted", () => Measure(gauges => gauges.Adopted), "{task}", "Number of unfinished tasks that this server has taken over from servers that are away.");
        meter.CreateObservableGauge("mesh.workers", Workers, "{worker}", "Number of workers of this server, and of workers that it has borrowed, by state.");
        meter.CreateObservableGauge("mesh.loans", Loans, "{loan}", "Number of loans that have not ended, by the role of this server and by the state of the loan.");
    }

    public void CountProtocolError(ProtocolErrorKind kind, Framing framing) =>
        _protocolErrors.Add(1, new("mesh.error.kind", kind.ToString()), new("mesh.framing", framing.ToString()));

    public void Count(in TaskEnd end, DateTimeOffset now)
    {
        var type = new KeyValuePair<string, object?>(MeshTelemetry.Tags.Destination, end.Task.Type.Name);
        _attempts.Add(1, type, new("mesh.task.result", end.State switch
        {
            TaskState.Queued when end.IsReturned => "returned",
            TaskState.Queued => "retried",
            TaskState.Done => "done",
            TaskState.Dead => "dead",
            TaskState.Cancelled => "cancelled",
            _ => throw new InvalidOperationException($"Unexpected state {end.State} of an ended attempt."),
        }));
        if (end.Task.StartedAt != default)
        {
            _queueTime.Record((end.Task.StartedAt - end.Task.QueuedAt).TotalSeconds, type);
            _attemptTime.Record((end.Since - end.Task.StartedAt).TotalSeconds, type);
        }
    }

    public void Count(ScheduleFired fired) => _schedulesFired.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Tags.Destination, fired.Task.Type.Name));

    public void Count(LoanEnded end) =>
        _loanTime.Record((end.At - end.Loan.Started).TotalSeconds, new KeyValuePair<string, object?>("mesh.loan.role", end.Loan.Role.ToString()));

    // All gauges of one collection use the same snapshot. When the loop does not run, or does not answer in time, there is no snapshot and the gauges report
    // nothing, because a zero would mean an empty queue.
    private ServerGauges? Gauges()
    {
        if (_last is not { } last || _time.GetElapsedTime(last.At) > SnapshotAge)
        {
            var reading = _inputs.IsOpen ? _inputs.QueryAsync(core => core.GetGauges()) : null;
            last = (reading is not null && IsCompleted(reading) ? reading.Result : null, _time.GetTimestamp());
            _last = last;
        }

        return last.Gauges;
    }

    private static bool IsCompleted(Task<ServerGauges> reading)
    {
        try
        {
            return reading.Wait(SnapshotAge);
        }
        catch (AggregateException exception) when (exception.InnerException is LoopStoppedException)
        {
            return false;
        }
    }

    private IEnumerable<Measurement<int>> Measure(Func<ServerGauges, int> value) => Gauges() is { } gauges ? [new Measurement<int>(value(gauges))] : [];

    private IEnumerable<Measurement<int>> Workers() =>
        Gauges()?.Workers.Select(count => new Measurement<int>(count.Value, new KeyValuePair<string, object?>("mesh.worker.state", count.Key.ToString()))) ?? [];

    private IEnumerable<Measurement<int>> Loans() => Gauges()?.Loans.Select(count => new Measurement<int>(
        count.Value,
        new KeyValuePair<string, object?>("mesh.loan.role", count.Key.Role.ToString()),
        new KeyValuePair<string, object?>("mesh.loan.state", count.Key.State.ToString()))) ?? [];
}
