using System.Text.Json;
using Mesh.Protocol;
using MeshAspire.Worker.Handlers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MeshAspire.Worker;

/// <summary>One attempt at a task: what it is, its cancellation, its progress, and the tasks that follow it. Its members can be used from any thread.</summary>
public sealed class TaskContext
{
    private readonly NewTask _task;
    private readonly IServiceScopeFactory _scopes;
    private readonly JsonSerializerOptions _json;
    private readonly Lock _lock = new();
    private AsyncServiceScope? _scope;
    private FollowUps? _followUps;
    private double _progress = double.NaN;

    internal TaskContext(NewTask task, WorkerId worker, IServiceScopeFactory scopes, JsonSerializerOptions json, ILogger logger, CancellationToken cancellationToken)
    {
        (_task, _scopes, _json) = (task, scopes, json);
        (WorkerId, Logger, CancellationToken) = (worker.Value, logger, cancellationToken);
    }

    /// <summary>The TASK_ID, equal in all attempts at the task. Null at servers that do not send it.</summary>
    public string? TaskId => _task.Id?.Value;

    /// <summary>The type of the task.</summary>
    public string Type => _task.Type.Name;

    /// <summary>The number of this attempt, from 1. A task that was handed back or did not reach its worker keeps its number. Always 1 at servers that do not send it.</summary>
    public int Attempt => _task.Attempt;

    /// <summary>The UUID of this worker.</summary>
    public string WorkerId { get; }

    /// <summary>
    /// Cancelled when the task is cancelled, and when the worker must leave its server or stop; the task is then handed back to the server. A worker that must leave waits up to 2 s for the
    /// handler to end. The handler occupies its slot until it ends.
    /// </summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>A logger whose category is MeshAspire.Worker and the type of the task. Its entries are in the trace of the task.</summary>
    public ILogger Logger { get; }

    /// <summary>The services of this attempt. They are disposed when it ends.</summary>
    public IServiceProvider Services
    {
        get
        {
            lock (_lock)
            {
                return (_scope ??= _scopes.CreateAsyncScope()).ServiceProvider;
            }
        }
    }

    /// <summary>The last reported progress, or null.</summary>
    public double? Progress => Volatile.Read(ref _progress) is var progress && double.IsNaN(progress) ? null : progress;

    /// <summary>
    /// Sets the part of the work that is done. The worker sends the last value to the server with its next RUNNING (Mesh__RunningInterval). Can be called as often as needed.
    /// </summary>
    /// <param name="progress">From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The value is not from 0 to 1.</exception>
    public void ReportProgress(double progress)
    {
        if (progress is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(progress), progress, "The progress is not from 0 to 1.");
        }

        Volatile.Write(ref _progress, progress);
    }

    /// <summary>
    /// Adds a task that the server accepts together with the result of this one, in the same trace: all of them or none, and each once. Nothing is submitted when the attempt fails.
    /// </summary>
    /// <param name="type">The type of the task.</param>
    /// <param name="payload">The input of the task, or null. QUERY and UPDATE have the properties user and amount.</param>
    /// <param name="options">The options of the task, or null.</param>
    /// <exception cref="ArgumentException">The type is not valid.</exception>
    /// <exception cref="InvalidOperationException">The task has 1,000 follow-ups already.</exception>
    public void AddFollowUp<TPayload>(string type, TPayload payload, FollowUpOptions? options = null)
    {
        lock (_lock)
        {
            (_followUps ??= new(_json)).Add(type, payload, options);
        }
    }

    /// <summary>Returns the tasks to accept with the result, as in THEN, or null.</summary>
    internal RawJson? GetFollowUps()
    {
        lock (_lock)
        {
            return _followUps?.ToJson();
        }
    }

    /// <summary>Disposes the services of the attempt.</summary>
    internal ValueTask EndAsync()
    {
        lock (_lock)
        {
            return _scope?.DisposeAsync() ?? default;
        }
    }
}
