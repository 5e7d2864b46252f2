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
    /// Runs one attempt. An expected failure is a result; an exception also fails the attempt and is logged. The token is cancelled when the worker must leave its server or
    /// stop, and the task is then handed back. The worker waits up to 3 s for the handler to end, then leaves without it and requests no task until the handler has ended.
    /// A handler that never ends blocks the worker until its process is restarted.
    /// </summary>
    ValueTask<HandlerResult> HandleAsync(NewTask task, CancellationToken cancellation);
}

/// <summary>The result of a handler: OK with a balance, or NOK with the reason.</summary>
public readonly record struct HandlerResult
{
    private HandlerResult(TaskOutcome outcome, decimal? balance, string? error) => (Outcome, Balance, Error) = (outcome, balance, error);

    public TaskOutcome Outcome { get; }

    public decimal? Balance { get; }

    public string? Error { get; }

    public static HandlerResult Done(decimal balance) => new(TaskOutcome.Ok, balance, null);

    public static HandlerResult Failed(string error) => new(TaskOutcome.Nok, null, error);
}
