using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Worker.Core;
using Mesh.Worker.Handlers;
using Microsoft.Extensions.Options;

namespace Mesh.Worker;

/// <summary>Runs attempts: waits for the simulated work time, then calls the handler of the task's type.</summary>
internal sealed partial class AttemptRunner
{
    // Limits ERROR so that the status stays below the protocol's message size.
    private const int MaxErrorLength = 512;

    private readonly Dictionary<TaskType, ITaskHandler> _handlers;
    private readonly TimeSpan _workTime;
    private readonly TimeProvider _time;
    private readonly ILogger<AttemptRunner> _logger;

    /// <exception cref="ArgumentException">Two handlers have the same type.</exception>
    public AttemptRunner(IEnumerable<ITaskHandler> handlers, IOptions<WorkerOptions> options, TimeProvider time, ILogger<AttemptRunner> logger)
    {
        _handlers = handlers.ToDictionary(handler => handler.Type);
        _workTime = options.Value.WorkTime;
        _time = time;
        _logger = logger;
        Handles = TaskTypeSet.Of(_handlers.Keys);
    }

    /// <summary>The types that have a handler.</summary>
    public TaskTypeSet Handles { get; }

    /// <summary>Runs one attempt. An exception of the handler becomes a NOK result, and so does a cancellation.</summary>
    public async Task<AttemptResult> RunAsync(NewTask task, CancellationToken cancellation)
    {
        using var activity = WorkerTracing.StartAttempt(task);
        var result = await HandleAsync(task, cancellation);
        if (result.Outcome == TaskOutcome.Nok)
        {
            activity?.SetStatus(ActivityStatusCode.Error, result.Error);
        }

        return new(result.Outcome, result.Result, result.Error, activity?.Id ?? task.TraceParent)
        {
            Then = result.Then,
            MayRetry = result.MayRetry,
            RetryAfter = result.RetryAfter,
        };
    }

    private async ValueTask<HandlerResult> HandleAsync(NewTask task, CancellationToken cancellation)
    {
        try
        {
            if (_workTime > TimeSpan.Zero)
            {
                await Task.Delay(_workTime, _time, cancellation);
            }

            var result = await _handlers[task.Type].HandleAsync(task, cancellation);
            if (result.Outcome == TaskOutcome.Nok)
            {
                LogFailed(task.Type, task.Id, result.Error);
            }

            return result.Error is { } error ? HandlerResult.Failed(Bound(error), result.MayRetry, result.RetryAfter) : result;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return HandlerResult.Failed("cancelled");
        }
        catch (Exception fault)
        {
            LogThrew(fault, task.Type, task.Id);
            return HandlerResult.Failed(Bound($"{fault.GetType().Name}: {fault.Message}"));
        }
    }

    private static string Bound(string error) => error.Length <= MaxErrorLength ? error
        : error[..(char.IsHighSurrogate(error[MaxErrorLength - 1]) ? MaxErrorLength - 1 : MaxErrorLength)];

    [LoggerMessage(EventId = 8301, Level = LogLevel.Debug, Message = "{Type} {Task} failed: {Error}")]
    private partial void LogFailed(TaskType type, TaskId? task, string? error);

    [LoggerMessage(EventId = 8302, Level = LogLevel.Error, Message = "The handler of {Type} threw an exception on {Task}")]
    private partial void LogThrew(Exception fault, TaskType type, TaskId? task);
}
