using System.Diagnostics;
using System.Text.Json;
using Mesh.Protocol;
using MeshAspire.Worker.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace MeshAspire.Worker.Handlers;

/// <summary>Runs attempts: waits for the simulated work time, then calls the handler of the task's type.</summary>
internal sealed partial class AttemptRunner
{
    // Limits ERROR so that the status stays below the protocol's message size.
    private const int MaxErrorLength = 512;

    private static readonly ReadOnlyMemory<byte> NoPayload = "null"u8.ToArray();

    private readonly Dictionary<TaskType, (RunAttempt Run, ILogger Logger)> _handlers;
    private readonly JsonSerializerOptions _json;
    private readonly IServiceScopeFactory _scopes;
    private readonly WorkerId _worker;
    private readonly TimeSpan _workTime;
    private readonly TimeProvider _time;
    private readonly ILogger<AttemptRunner> _logger;

    /// <exception cref="OptionsValidationException">There is no handler, or there are handlers for more types than a worker can request.</exception>
    public AttemptRunner(
        IEnumerable<TaskHandlerRegistration> handlers, IOptions<MeshWorkerSettings> settings, IOptions<WorkerJsonOptions> json, IServiceScopeFactory scopes, TimeProvider time, ILoggerFactory loggers)
    {
        _handlers = handlers.ToDictionary(handler => handler.Type, handler => (handler.Run, loggers.CreateLogger($"{nameof(MeshAspire)}.{nameof(Worker)}.{handler.Type}")));
        if (_handlers.Count is 0 or > ProtocolLimits.MaxTaskTypes)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(MeshWorkerSettings), [_handlers.Count == 0
                ? "The worker has no handler: call AddHandler on the result of AddMeshWorker"
                : $"{_handlers.Count} task types have a handler; a worker can handle at most {ProtocolLimits.MaxTaskTypes} types"]);
        }

        (_worker, _workTime) = (settings.Value.Id, settings.Value.WorkTime);
        (_json, _scopes, _time, _logger) = (json.Value.Serializer, scopes, time, loggers.CreateLogger<AttemptRunner>());
        _json.MakeReadOnly();
        Handles = TaskTypeSet.Of(_handlers.Keys);
    }

    /// <summary>The types that have a handler.</summary>
    public TaskTypeSet Handles { get; }

    /// <summary>Creates the context of an attempt at a task whose type has a handler.</summary>
    public TaskContext CreateContext(NewTask task, CancellationToken cancellationToken) => new(task, _worker, _scopes, _json, _handlers[task.Type].Logger, cancellationToken);

    /// <summary>Runs one attempt. An exception of the handler becomes a NOK result, and so does a cancellation.</summary>
    public async ValueTask<AttemptResult> RunAsync(NewTask task, TaskContext context)
    {
        using var activity = WorkerTracing.StartAttempt(task);
        var result = CheckSize(task, await HandleAsync(task, context) with { TraceParent = activity?.Id ?? task.TraceParent });
        if (result.Outcome == TaskOutcome.Nok)
        {
            activity?.SetStatus(ActivityStatusCode.Error, result.Error);
        }

        return result;
    }

    private async ValueTask<AttemptResult> HandleAsync(NewTask task, TaskContext context)
    {
        try
        {
            if (_workTime > TimeSpan.Zero)
            {
                await Task.Delay(_workTime, _time, context.CancellationToken);
            }

            var result = await _handlers[task.Type].Run(context, PayloadOf(task), _json);
            return new(TaskOutcome.Ok, result is null ? null : RawJson.Copy(result), null, null) { Then = context.GetFollowUps() };
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            return Failed("cancelled");
        }
        catch (TaskFailedException failure)
        {
            LogFailed(task.Type, task.Id, failure.Message);
            return Failed(failure.Message, failure.MayRetry, failure.RetryAfter);
        }
        catch (Exception fault)
        {
            LogThrew(fault, task.Type, task.Id);
            return Failed($"{fault.GetType().Name}: {fault.Message}");
        }
        finally
        {
            await context.EndAsync();
        }
    }

    /// <summary>Returns the payload as JSON. QUERY and UPDATE have USER and AMOUNT instead, which become the properties user and amount.</summary>
    private static ReadOnlyMemory<byte> PayloadOf(NewTask task) =>
        task.User is { } user ? JsonSerializer.SerializeToUtf8Bytes(new AccountPayload(user, task.Amount), AccountPayloadContext.Default.AccountPayload)
        : task.Payload is { } payload ? payload.Utf8
        : NoPayload;

    /// <summary>
    /// Turns a result that cannot be sent into a NOK that is not tried again, because the next attempt would have the same result. The server could not read the message, and the
    /// task would wait until its lease runs out.
    /// </summary>
    private AttemptResult CheckSize(NewTask task, AttemptResult result)
    {
        // Without THEN, the other fields of a status are shorter than half a message.
        if (result is { Then: null, Result: null or { Utf8.Length: < ProtocolLimits.MaxMessageBytes / 2 } })
        {
            return result;
        }

        var status = new TaskStatus(result.Outcome, task.Type, _worker) { Id = task.Id, Result = result.Result, Then = result.Then, Error = result.Error, TraceParent = result.TraceParent };
        var error =
            result.Then is { } then && !RawJson.TryParse(then.Utf8.Span, ProtocolLimits.MaxValueDepth, out _) ? $"THEN is nested deeper than {ProtocolLimits.MaxValueDepth} levels"
            : MessageWriter.Measure(status) > ProtocolLimits.MaxMessageBytes ? $"RESULT and THEN are larger than {ProtocolLimits.MaxValueBytes} bytes"
            : null;
        if (error is null)
        {
            return result;
        }

        LogFailed(task.Type, task.Id, error);
        return Failed(error, mayRetry: false) with { TraceParent = result.TraceParent };
    }

    private static AttemptResult Failed(string error, bool mayRetry = true, TimeSpan? retryAfter = null) =>
        new(TaskOutcome.Nok, null, Bound(error), null) { MayRetry = mayRetry, RetryAfter = retryAfter };

    private static string Bound(string error) => error.Length <= MaxErrorLength ? error
        : error[..(char.IsHighSurrogate(error[MaxErrorLength - 1]) ? MaxErrorLength - 1 : MaxErrorLength)];

    [LoggerMessage(EventId = 8301, Level = LogLevel.Debug, Message = "{Type} {Task} failed: {Error}")]
    private partial void LogFailed(TaskType type, TaskId? task, string? error);

    [LoggerMessage(EventId = 8302, Level = LogLevel.Error, Message = "The handler of {Type} threw an exception on {Task}")]
    private partial void LogThrew(Exception fault, TaskType type, TaskId? task);
}
