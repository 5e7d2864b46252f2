using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Telemetry;
using static Mesh.Telemetry.MeshTelemetry;

namespace Mesh.Server.Telemetry;

/// <summary>The server's part of a task's trace: submit → queue → dispatch → (the worker's process) → settle.</summary>
internal static class TaskSpans
{
    // Attempts are few: their numbers are boxed once.
    private static readonly object[] Numbers = [.. Enumerable.Range(0, 10).Cast<object>()];

    /// <summary>
    /// Starts the traces of tasks, and gives the tasks their contexts. A task submitted alone goes on in its request's trace; one of several starts a trace of its own, linked to the request,
    /// so that one trace is one task.
    /// </summary>
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

    /// <summary>Tells that a task left the queue and was handed out, and gives the new_task with the context of that.</summary>
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

    /// <summary>Tells what became of an attempt.</summary>
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
            _ => throw new InvalidOperationException($"A task does not end {end.State}."),
        });
        if (end.Error is not null)
        {
            settle.SetStatus(ActivityStatusCode.Error, end.Error);
        }

        settle.SetEndTime(now.UtcDateTime);
    }

    private static Activity? StartSubmit(TaskRecord task, ActivityContext parent, Activity? linked)
    {
        // A span without a parent would become a child of what is current.
        Activity.Current = null;
        return TaskOperation.Submit.Start(task.Type, task.Id, parent, link: linked is null ? null : new ActivityLink(linked.Context));
    }

    /// <summary>The worker's attempt, if it tells one of this trace.</summary>
    private static string? ParentOfSettle(in TaskEnd end)
    {
        var attempt = end.Task.AttemptTrace ?? end.Task.Record.TraceParent;
        return IsSameTrace(end.TraceParent, attempt) ? end.TraceParent : attempt;
    }

    private static object Number(int number) => number < Numbers.Length ? Numbers[number] : number;
}
