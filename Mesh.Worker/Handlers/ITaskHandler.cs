using Mesh.Protocol;

namespace Mesh.Worker.Handlers;

/// <summary>
/// Handles the tasks of one type. A worker requests the types that have a registered handler. The handler is called for several tasks at the same time, and again for
/// a task whose earlier attempt failed or whose result was lost, so it must be thread-safe and idempotent.
/// </summary>
public interface ITaskHandler
{
    TaskType Type { get; }

    /// <summary>
    /// Runs one attempt, for as long as it takes: the worker tells the server at intervals that it goes on. An expected failure is a result; an exception also fails the attempt and is
    /// logged. The token is cancelled when the task is cancelled, and when the worker must leave its server or stop; the task is then handed back. A worker that must leave waits up to
    /// 2 s for the handler to end, then hands the task back and leaves. The handler occupies its slot until it ends: one that never ends costs this slot until the process is restarted.
    /// </summary>
    ValueTask<HandlerResult> HandleAsync(TaskAttempt task, CancellationToken cancellation);
}

/// <summary>The result of a handler: OK with the task's output, or NOK with the reason.</summary>
public readonly record struct HandlerResult
{
    private HandlerResult(TaskOutcome outcome, RawJson? result, string? error) => (Outcome, Result, Error) = (outcome, result, error);

    public TaskOutcome Outcome { get; }

    /// <summary>The output of the task, or null.</summary>
    public RawJson? Result { get; }

    /// <summary>An array of tasks that are accepted with the result, each as in the body of POST /tasks, or null.</summary>
    public RawJson? Then { get; init; }

    /// <summary>The reason of a NOK.</summary>
    public string? Error { get; }

    /// <summary>False when the task becomes a dead letter without another attempt.</summary>
    public bool MayRetry { get; private init; } = true;

    /// <summary>The shortest time until the next attempt, or null for that of the server.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    public static HandlerResult Done(RawJson? result = null) => new(TaskOutcome.Ok, result, null);

    public static HandlerResult Done(decimal balance) => Done(RawJson.Of(balance));

    public static HandlerResult Failed(string error, bool mayRetry = true, TimeSpan? retryAfter = null) =>
        new(TaskOutcome.Nok, null, error) { MayRetry = mayRetry, RetryAfter = retryAfter };
}
