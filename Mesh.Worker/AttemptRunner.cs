using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Worker.Core;
using Mesh.Worker.Handlers;
using Microsoft.Extensions.Options;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Worker;

/// <summary>Runs attempts: waits for the simulated work time, then calls the handler of the task's type.</summary>
internal sealed partial class AttemptRunner
{
    // Limits ERROR so that the status stays below the protocol's message size.
    private const int MaxErrorLength = 512;

    private readonly Dictionary<TaskType, ITaskHandler> _handlers;
    private readonly WorkerId _worker;
    private readonly TimeSpan _workTime;
    private readonly TimeProvider _time;
    private readonly ILogger<AttemptRunner> _logger;

    /// <exception cref="ArgumentException">Two handlers have the same type.</exception>
    /// <exception cref="OptionsValidationException">There are handlers for more types than a worker can request.</exception>
    public AttemptRunner(IEnumerable<ITaskHandler> handlers, IOptions<WorkerOptions> options, TimeProvider time, ILogger<AttemptRunner> logger)
    {
        _handlers = handlers.ToDictionary(handler => handler.Type);
        if (_handlers.Count > ProtocolLimits.MaxTaskTypes)
        {
            throw new OptionsValidationException(
                Options.DefaultName, typeof(WorkerOptions), [$"{_handlers.Count} task types have a handler; a worker can handle at most {ProtocolLimits.MaxTaskTypes} types"]);
        }

        _worker = options.Value.Id;
        _workTime = options.Value.WorkTime;
        _time = time;
        _logger = logger;
        Handles = TaskTypeSet.Of(_handlers.Keys);
    }

    /// <summary>The types that have a handler.</summary>
    public TaskTypeSet Handles { get; }

    /// <summary>Runs one attempt. An exception of the handler becomes a NOK result, and so does a cancellation.</summary>
    public async Task<AttemptResult> RunAsync(NewTask task, TaskAttempt attempt, CancellationToken cancellation)
    {
        using var activity = WorkerTracing.StartAttempt(task);
        var result = CheckSize(task, await HandleAsync(attempt, cancellation), activity?.Id ?? task.TraceParent);
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

    private async ValueTask<HandlerResult> HandleAsync(TaskAttempt task, CancellationToken cancellation)
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

    /// <summary>
    /// Turns a result that cannot be sent into a NOK that is not tried again, because the next attempt would have the same result. The server could not read the message, and the
    /// task would wait until its lease runs out.
    /// </summary>
    private HandlerResult CheckSize(NewTask task, HandlerResult result, string? traceParent)
    {
        if (result.Then is { } then && (!RawJson.TryParse(then.Utf8.Span, ProtocolLimits.MaxValueDepth, out _) || then.Utf8.Span[0] != '['))
        {
            return Refuse($"THEN is not an array of JSON objects, or is nested deeper than {ProtocolLimits.MaxValueDepth} levels");
        }

        var status = new TaskStatus(result.Outcome, task.Type, _worker) { Id = task.Id, Result = result.Result, Then = result.Then, Error = result.Error, TraceParent = traceParent };
        return MessageWriter.Measure(status) > ProtocolLimits.MaxMessageBytes
            ? Refuse($"RESULT and THEN are larger than {ProtocolLimits.MaxValueBytes} bytes")
            : result;

        HandlerResult Refuse(string error)
        {
            LogFailed(task.Type, task.Id, error);
            return HandlerResult.Failed(error, mayRetry: false);
        }
    }

    private static string Bound(string error) => error.Length <= MaxErrorLength ? error
        : error[..(char.IsHighSurrogate(error[MaxErrorLength - 1]) ? MaxErrorLength - 1 : MaxErrorLength)];

    [LoggerMessage(EventId = 8301, Level = LogLevel.Debug, Message = "{Type} {Task} failed: {Error}")]
    private partial void LogFailed(TaskType type, TaskId? task, string? error);

    [LoggerMessage(EventId = 8302, Level = LogLevel.Error, Message = "The handler of {Type} threw an exception on {Task}")]
    private partial void LogThrew(Exception fault, TaskType type, TaskId? task);
}
