using System.Diagnostics;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using static Mesh.Common.MeshTelemetry;

namespace Mesh.Server.Telemetry;

/// <summary>Creates the server's spans of a task's trace: submit → queue → dispatch → process (created by the worker) → settle.</summary>
internal static class TaskSpans
{
    // Attempt numbers are small. They are boxed once, so that a span's tag does not allocate.
    private static readonly object[] Numbers = [.. Enumerable.Range(0, 10).Cast<object>()];

    /// <summary>
    /// Starts the submit spans of tasks, and sets the tasks' trace contexts. A task that is submitted alone belongs to its request's trace. Each of several tasks
    /// starts its own trace with a link to the request, so that a trace contains one task.
    /// </summary>
    /// <returns>The spans, which <see cref="End"/> ends. The array is empty when nothing is traced.</returns>
    public static Activity?[] StartSubmits(List<TaskRecord> tasks)
    {
        if (!Source.HasListeners())
        {
            return [];
        }

        var request = Activity.Current;
        var spans = new Activity?[tasks.Count];
        for (var i = 0; i < spans.Length; i++)
        {
            spans[i] = spans.Length == 1 ? StartSubmit(tasks[i], request?.Context ?? default, null) : StartSubmit(tasks[i], default, request);
            if (spans[i] is { } span)
            {
                tasks[i] = tasks[i] with { TraceParent = span.Id };
            }
        }

        Activity.Current = request;
        return spans;
    }

    /// <summary>Ends the submit spans. They have the status Error when the tasks were not accepted.</summary>
    public static void End(Activity?[] submits, SubmitOutcome outcome)
    {
        var current = Activity.Current;
        foreach (var submit in submits)
        {
            if (outcome != SubmitOutcome.Accepted)
            {
                submit?.SetStatus(ActivityStatusCode.Error, outcome.ToString());
            }

            submit?.Dispose();
        }

        Activity.Current = current;
    }

    /// <summary>Records the submit span of a task that the core submits, which begins a trace.</summary>
    /// <returns>The trace context of the span, or null when nothing is traced.</returns>
    public static string? RecordSubmit(TaskRecord task)
    {
        var current = Activity.Current;
        var submit = StartSubmit(task, default, linked: null);
        submit?.Dispose();
        Activity.Current = current;
        return submit?.Id;
    }

    /// <summary>Records the queue and dispatch spans of a task that is sent to a worker.</summary>
    /// <returns>The message with the trace context of the dispatch span.</returns>
    public static MeshMessage Dispatch(TaskEntry task, NewTask message, DateTimeOffset now)
    {
        if (!Source.HasListeners() || Context(task.Record.TraceParent) is var submit && submit == default)
        {
            return message;
        }

        using (var queue = TaskOperation.Queue.Start(task.Type, task.Record.Id, submit, task.QueuedAt))
        {
            queue?.SetEndTime(now.UtcDateTime);
        }

        ActivityLink? link = Context(task.FirstAttemptTrace) is var first && first != default ? new ActivityLink(first) : null;
        using var dispatch = TaskOperation.Dispatch.Start(task.Type, task.Record.Id, submit, now, link);
        if (dispatch is null)
        {
            return message;
        }

        if (dispatch.IsAllDataRequested)
        {
            dispatch.SetTag(Tags.Worker, task.Worker?.Id.Value);
            dispatch.AddTag(Tags.Attempt, Number(task.Attempts));
        }

        task.AttemptTrace = dispatch.Id;
        task.FirstAttemptTrace ??= dispatch.Id;
        return message with { TraceParent = dispatch.Id };
    }

    /// <summary>Records the settle span of an attempt that has ended.</summary>
    public static void Settle(in TaskEnd end, DateTimeOffset now)
    {
        if (!Source.HasListeners() || Context(ParentOfSettle(end)) is var parent && parent == default)
        {
            return;
        }

        using var settle = TaskOperation.Settle.Start(end.Task.Type, end.Task.Record.Id, parent, end.Since);
        if (settle is not { IsAllDataRequested: true })
        {
            return;
        }

        settle.AddTag(Tags.Attempt, Number(end.Task.Attempts));
        settle.SetTag(Tags.Worker, end.Task.LastWorker?.Value);
        settle.AddTag(Tags.State, end.State switch
        {
            TaskState.Queued when end.IsReturned => "returned",
            TaskState.Queued => "put back",
            TaskState.Done => "done",
            TaskState.Dead => "dead",
            TaskState.Cancelled => "cancelled",
            _ => throw new InvalidOperationException($"Unexpected state {end.State} of an ended attempt."),
        });
        if (end.Error is not null)
        {
            settle.SetStatus(ActivityStatusCode.Error, end.Error);
        }

        settle.SetEndTime(now.UtcDateTime);
    }

    private static Activity? StartSubmit(TaskRecord task, ActivityContext parent, Activity? linked)
    {
        // Without a parent, StartActivity would use Activity.Current as the parent.
        Activity.Current = null;
        return TaskOperation.Submit.Start(task.Type, task.Id, parent, link: linked is null ? null : new ActivityLink(linked.Context));
    }

    /// <summary>Returns the worker's span as the parent when the worker reports one of the same trace, else the dispatch or submit span.</summary>
    private static string? ParentOfSettle(in TaskEnd end)
    {
        var attempt = end.Task.AttemptTrace ?? end.Task.Record.TraceParent;
        return IsSameTrace(end.TraceParent, attempt) ? end.TraceParent : attempt;
    }

    private static object Number(int number) => number < Numbers.Length ? Numbers[number] : number;
}
