using Mesh.Protocol;

namespace Mesh.Worker.Handlers;

/// <summary>
/// Does the tasks of one type; the worker asks for the types that have a handler registered. Called for several tasks at a time,
/// and again for a task whose earlier attempt failed or whose outcome was lost: it must bear that.
/// </summary>
public interface ITaskHandler
{
    TaskType Type { get; }

    /// <summary>
    /// Expected failures are results; an exception fails the attempt too, and is logged. The token is cancelled when the worker
    /// has to leave or stop: then the task is handed back. A handler that does not end then is waited for 3 s; after that the worker leaves
    /// without it, and asks nobody for a task until it has ended. One that never ends costs the whole worker, until its process is started again.
    /// </summary>
    ValueTask<HandlerResult> HandleAsync(NewTask task, CancellationToken cancellation);
}

/// <summary>OK with a balance, or NOK with the reason.</summary>
public readonly record struct HandlerResult
{
    private HandlerResult(TaskOutcome outcome, decimal? balance, string? error) => (Outcome, Balance, Error) = (outcome, balance, error);

    public TaskOutcome Outcome { get; }

    public decimal? Balance { get; }

    public string? Error { get; }

    public static HandlerResult Done(decimal balance) => new(TaskOutcome.Ok, balance, null);

    public static HandlerResult Failed(string error) => new(TaskOutcome.Nok, null, error);
}
