using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Server.Core;
using static Mesh.Telemetry.MeshTelemetry;

namespace Mesh.Server.Telemetry;

/// <summary>The server's part of a task's trace: submit → queue → dispatch → (the worker's process) → settle.</summary>
internal static class TaskSpans
{
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

        var spans = new Activity?[tasks.Count];
        for (var i = 0; i < spans.Length; i++)
        {
            spans[i] = StartSubmit(tasks[i], alone: spans.Length == 1);
            if (spans[i] is { } span)
            {
                tasks[i] = tasks[i] with { TraceParent = span.Id };
            }
        }

        return spans;
    }

    public static void End(Activity?[] submits, SubmitOutcome outcome)
    {
        foreach (var submit in submits)
        {
            if (outcome != SubmitOutcome.Accepted)
            {
                submit?.SetStatus(ActivityStatusCode.Error, outcome.ToString());
            }

            submit?.Dispose();
        }
    }

    private static Activity? StartSubmit(TaskRecord task, bool alone)
    {
        var request = Activity.Current?.Context ?? default;
        if (alone)
        {
            return StartTask(Operations.Submit, ActivityKind.Producer, Name(task.Type), task.Id, request);
        }

        var current = Activity.Current;
        Activity.Current = null;
        var submit = StartTask(
            Operations.Submit, ActivityKind.Producer, Name(task.Type), task.Id, default, links: request == default ? null : [new ActivityLink(request)]);
        Activity.Current = current;
        return submit;
    }

    /// <summary>Tells that a task left the queue and was handed out, and gives the new_task with the context of that.</summary>
    public static MeshMessage Dispatch(TaskEntry task, NewTask message, DateTimeOffset now)
    {
        if (!Source.HasListeners() || Context(task.Record.TraceParent) is var submit && submit == default)
        {
            return message;
        }

        using (var queue = StartTask(Operations.Queue, ActivityKind.Internal, Name(task.Type), task.Record.Id, submit, task.QueuedAt))
        {
            queue?.SetEndTime(now.UtcDateTime);
        }

        ActivityLink[]? links = task.Attempts > 1 && Context(task.FirstAttemptTrace) is var first && first != default ? [new ActivityLink(first)] : null;
        using var dispatch = StartTask(Operations.Dispatch, ActivityKind.Producer, Name(task.Type), task.Record.Id, submit, now, links);
        if (dispatch is null)
        {
            return message;
        }

        dispatch.SetTag(Tags.Worker, task.Worker?.Id.Value);
        dispatch.SetTag(Tags.Attempt, task.Attempts);
        task.AttemptTrace = dispatch.Id;
        task.FirstAttemptTrace ??= dispatch.Id;
        return message with { TraceParent = dispatch.Id };
    }

    /// <summary>Tells what became of an attempt.</summary>
    public static void Settle(in TaskEnd end, DateTimeOffset now)
    {
        if (!Source.HasListeners() || Context(end.Task.AttemptTrace ?? end.Task.Record.TraceParent) is var attempt && attempt == default)
        {
            return;
        }

        var worker = Context(end.TraceParent);
        using var settle = StartTask(
            Operations.Settle, ActivityKind.Internal, Name(end.Task.Type), end.Task.Record.Id, worker.TraceId == attempt.TraceId ? worker : attempt, end.Since);
        settle?.SetTag(Tags.Attempt, end.Task.Attempts);
        settle?.SetTag(Tags.Worker, end.Task.LastWorker?.Value);
        settle?.SetTag(Tags.State, end.State switch
        {
            TaskState.Queued => "put back",
            TaskState.Done => "done",
            TaskState.Dead => "dead",
            _ => throw new InvalidOperationException($"A task does not end {end.State}."),
        });
        if (end.Error is not null)
        {
            settle?.SetStatus(ActivityStatusCode.Error, end.Error);
        }

        settle?.SetEndTime(now.UtcDateTime);
    }

    public static string Name(TaskType type) => type switch
    {
        TaskType.Query => "QUERY",
        TaskType.Update => "UPDATE",
        _ => throw new InvalidOperationException($"Unknown task type {type}."),
    };
}
