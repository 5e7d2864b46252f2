using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using MeshAspire.Client.Http;
using MeshAspire.Client.Tasks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MeshAspire.Client;

/// <summary>
/// A client of task servers. Each task has an id before it is sent, so that no retry runs it twice. Thread-safe; an application needs one for each mesh.
/// <c>AddMeshClient</c> adds one to an application.
/// </summary>
/// <remarks>
/// Operations throw a <see cref="MeshException"/> of the type that describes the error, and an <see cref="OperationCanceledException"/> when their token is cancelled. When the
/// token of a submission is cancelled, it is unknown whether the tasks were accepted; give them ids to be able to find out.
/// </remarks>
public sealed class MeshClient
{
    private readonly MeshClientSettings _settings;
    private readonly TaskIds _ids;
    private readonly TaskSubmitter _submitter;
    private readonly BatchSubmitter _batches;
    private readonly TaskReader _tasks;
    private readonly DeadLetters _deadLetters;
    private readonly Schedules _schedules;

    /// <summary>Creates a client without dependency injection. Names of services are not resolved.</summary>
    /// <param name="httpClient">
    /// Sends the requests. Its handlers must neither repeat requests nor follow redirects, and its Timeout must be longer than <see cref="MeshClientSettings.LongPollTime"/> and
    /// <see cref="MeshClientSettings.RequestTimeout"/> together.
    /// </param>
    /// <param name="settings">The settings, with at least one endpoint unless <paramref name="httpClient"/> has a BaseAddress. They are not changed afterwards.</param>
    /// <exception cref="ArgumentException">The settings are not valid. The message has all faults.</exception>
    public MeshClient(HttpClient httpClient, MeshClientSettings settings, TimeProvider? timeProvider = null, ILogger<MeshClient>? logger = null)
        : this(httpClient, new FixedAddresses(AddressesOf(httpClient, settings)), settings, timeProvider, logger)
    {
    }

    /// <param name="random">Returns values from 0 to 1, by which the delays of retries vary.</param>
    internal MeshClient(HttpClient http, IServerAddresses addresses, MeshClientSettings settings, TimeProvider? time, ILogger<MeshClient>? logger, Func<double>? random = null)
    {
        time ??= TimeProvider.System;
        ILogger log = logger ?? NullLogger<MeshClient>.Instance;
        _settings = settings;
        Servers = new ServerSet(addresses, settings, time);
        Sender = new RequestSender(http, settings, time);
        var locations = new TaskLocations(settings.MaxRememberedTasks);
        var requests = new MeshRequests(Servers, Sender, NewBudget, log);
        _ids = new TaskIds(locations, time);
        _submitter = new TaskSubmitter(Servers, Sender, locations, NewBudget, time, log);
        _batches = new BatchSubmitter(_submitter, _ids, settings);
        _tasks = new TaskReader(requests, locations, settings, NewBudget, time);
        _deadLetters = new DeadLetters(Servers, requests, _tasks, locations);
        _schedules = new Schedules(Servers, requests);

        RetryBudget NewBudget() => new(settings, time, random ?? Random.Shared.NextDouble);
    }

    internal ServerSet Servers { get; }

    internal RequestSender Sender { get; }

    /// <summary>Submits a task, and returns its id when a server has accepted it. An accepted task is never lost.</summary>
    /// <exception cref="TaskOutcomeUnknownException">It is unknown whether a server has accepted the task.</exception>
    /// <exception cref="TaskRejectedException">A field of the task is not valid.</exception>
    /// <exception cref="TaskConflictException">The id belongs to another task.</exception>
    /// <exception cref="QueueFullException">All servers have reached their limit of tasks.</exception>
    /// <exception cref="MeshUnavailableException">No server can accept tasks.</exception>
    public Task<string> SubmitAsync(MeshTaskRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var task = _ids.WithId(request);
        return TraceAsync("submit", request.Type, task.Options.Id, () => SubmitAsync(request, task, cancellationToken));
    }

    /// <summary>Submits a task with a payload that is serialized by reflection, with <see cref="MeshClientSettings.JsonOptions"/>.</summary>
    /// <inheritdoc cref="SubmitAsync(MeshTaskRequest, CancellationToken)"/>
    [RequiresUnreferencedCode(JsonValues.Reflection)]
    [RequiresDynamicCode(JsonValues.Reflection)]
    public Task<string> SubmitAsync(string type, object? payload = null, MeshTaskOptions? options = null, CancellationToken cancellationToken = default) =>
        SubmitAsync(MeshTaskRequest.Create(type, payload, options, _settings.JsonOptions), cancellationToken);

    /// <summary>Submits a task with a payload that is serialized with the metadata of its type.</summary>
    /// <inheritdoc cref="SubmitAsync(MeshTaskRequest, CancellationToken)"/>
    public Task<string> SubmitAsync<TPayload>(
        string type, TPayload payload, MeshTaskOptions? options, JsonTypeInfo<TPayload> payloadInfo, CancellationToken cancellationToken = default) =>
        SubmitAsync(MeshTaskRequest.Create(type, payload, options, payloadInfo), cancellationToken);

    /// <summary>
    /// Submits tasks in one request, or in several when they are more than a request may have, and returns their ids in the order of the tasks. Each request is accepted as a whole
    /// or not at all. The first one that fails ends the operation.
    /// </summary>
    /// <exception cref="PartialSubmissionException">Some tasks were accepted, and others were not or perhaps not. The exception lists them.</exception>
    /// <inheritdoc cref="SubmitAsync(MeshTaskRequest, CancellationToken)" path="/exception"/>
    public Task<IReadOnlyList<string>> SubmitManyAsync(IEnumerable<MeshTaskRequest> requests, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        MeshTaskRequest[] tasks = [.. requests];
        return TraceAsync("submit", null, null, () => _batches.SubmitAsync(tasks, cancellationToken));
    }

    /// <summary>Submits a task, waits until it is done, and returns its result, deserialized by reflection with <see cref="MeshClientSettings.JsonOptions"/>.</summary>
    /// <param name="timeLimit">The longest time to wait after the task was accepted. Default: null, which means no limit.</param>
    /// <returns>The result. The default value when the task has none.</returns>
    /// <exception cref="TaskDeadException">All attempts at the task have failed.</exception>
    /// <exception cref="TaskCancelledException">The task was cancelled.</exception>
    /// <exception cref="TaskNotSettledException">The time limit has passed. The task goes on.</exception>
    /// <exception cref="TaskNotFoundException">The result of the task was kept for a shorter time than the wait took.</exception>
    /// <exception cref="UnexpectedResponseException">The result is not a <typeparamref name="TResult"/>.</exception>
    /// <inheritdoc cref="SubmitAsync(MeshTaskRequest, CancellationToken)" path="/exception"/>
    [RequiresUnreferencedCode(JsonValues.Reflection)]
    [RequiresDynamicCode(JsonValues.Reflection)]
    public async Task<TResult?> RunAsync<TResult>(MeshTaskRequest request, TimeSpan? timeLimit = null, CancellationToken cancellationToken = default) =>
        JsonValues.Read<TResult>(await RunAsync(request, timeLimit, cancellationToken).ConfigureAwait(false), _settings.JsonOptions);

    /// <summary>Submits a task with a payload, waits until it is done, and returns its result. Both are serialized by reflection with <see cref="MeshClientSettings.JsonOptions"/>.</summary>
    /// <inheritdoc cref="RunAsync{TResult}(MeshTaskRequest, TimeSpan?, CancellationToken)"/>
    [RequiresUnreferencedCode(JsonValues.Reflection)]
    [RequiresDynamicCode(JsonValues.Reflection)]
    public Task<TResult?> RunAsync<TResult>(
        string type, object? payload = null, MeshTaskOptions? options = null, TimeSpan? timeLimit = null, CancellationToken cancellationToken = default) =>
        RunAsync<TResult>(MeshTaskRequest.Create(type, payload, options, _settings.JsonOptions), timeLimit, cancellationToken);

    /// <summary>Submits a task, waits until it is done, and returns its result, deserialized with the metadata of its type.</summary>
    /// <inheritdoc cref="RunAsync{TResult}(MeshTaskRequest, TimeSpan?, CancellationToken)"/>
    public async Task<TResult?> RunAsync<TResult>(
        MeshTaskRequest request, JsonTypeInfo<TResult> resultInfo, TimeSpan? timeLimit = null, CancellationToken cancellationToken = default) =>
        JsonValues.Read(await RunAsync(request, timeLimit, cancellationToken).ConfigureAwait(false), resultInfo);

    /// <summary>Returns a task, or null when no server knows it.</summary>
    /// <exception cref="MeshUnavailableException">No server that answers knows the task, and another one does not answer.</exception>
    public Task<MeshTask?> GetAsync(string id, CancellationToken cancellationToken = default) => TraceAsync("get", null, id, () => _tasks.FindAsync(id, cancellationToken));

    /// <summary>Waits until a task is settled, that is done, dead or cancelled, and returns it.</summary>
    /// <param name="timeLimit">The longest time to wait. Default: null, which means no limit.</param>
    /// <exception cref="TaskNotFoundException">No server knows the task.</exception>
    /// <exception cref="TaskNotSettledException">The time limit has passed.</exception>
    /// <exception cref="MeshUnavailableException">No server that answers knows the task, and another one does not answer for <see cref="MeshClientSettings.OperationTimeout"/>.</exception>
    public Task<MeshTask> WaitAsync(string id, TimeSpan? timeLimit = null, CancellationToken cancellationToken = default) =>
        TraceAsync("wait", null, id, () => _tasks.WaitAsync(id, timeLimit, cancellationToken));

    /// <summary>Cancels a task that waits, asks the worker of a task that runs to end it, or deletes a dead letter. Can be repeated.</summary>
    /// <inheritdoc cref="GetAsync" path="/exception"/>
    public Task<CancelResult> CancelAsync(string id, CancellationToken cancellationToken = default) => TraceAsync("cancel", null, id, () => _tasks.CancelAsync(id, cancellationToken));

    /// <summary>Lists the dead letters of all servers, those of the primary first, each oldest first. They are read page by page during the enumeration.</summary>
    /// <param name="type">The type of the tasks to list. Default: null, which means all types.</param>
    /// <exception cref="MeshUnavailableException">The next server does not answer.</exception>
    public IAsyncEnumerable<MeshTask> ListDeadLettersAsync(string? type = null, CancellationToken cancellationToken = default) => _deadLetters.ListAsync(type, cancellationToken);

    /// <summary>Puts a dead letter back into the queue, with all its attempts.</summary>
    /// <returns>The result. <see cref="RetryResult.Retried"/> also when an answer was lost and the repeated request found that the task is no longer dead.</returns>
    /// <exception cref="QueueFullException">The server has reached its limit of tasks.</exception>
    /// <inheritdoc cref="GetAsync" path="/exception"/>
    public Task<RetryResult> RetryAsync(string id, CancellationToken cancellationToken = default) => TraceAsync("retry", null, id, () => _deadLetters.RetryAsync(id, cancellationToken));

    /// <summary>Puts the dead letters of all servers back into the queues.</summary>
    /// <param name="type">The type of the tasks to retry. Default: null, which means all types.</param>
    /// <returns>The number of dead letters. Those whose answer was lost do not count.</returns>
    /// <exception cref="MeshUnavailableException">A server does not answer. Repeat the operation for the rest.</exception>
    /// <exception cref="QueueFullException">A server has reached its limit of tasks. Repeat the operation for the rest.</exception>
    public Task<int> RetryDeadLettersAsync(string? type = null, CancellationToken cancellationToken = default) =>
        TraceAsync("retry", type, null, () => _deadLetters.RetryAllAsync(type, cancellationToken));

    /// <summary>Deletes a dead letter. A task that somebody retries at the same moment can be cancelled instead.</summary>
    /// <returns>False when the task is not a dead letter, or no server knows it.</returns>
    /// <inheritdoc cref="GetAsync" path="/exception"/>
    public Task<bool> DeleteDeadLetterAsync(string id, CancellationToken cancellationToken = default) =>
        TraceAsync("delete", null, id, () => _deadLetters.DeleteAsync(id, cancellationToken));

    /// <summary>Deletes the dead letters of all servers.</summary>
    /// <param name="type">The type of the tasks to delete. Default: null, which means all types.</param>
    /// <returns>The number of dead letters. Those whose answer was lost do not count.</returns>
    /// <exception cref="MeshUnavailableException">A server does not answer. Repeat the operation for the rest.</exception>
    public Task<int> DeleteDeadLettersAsync(string? type = null, CancellationToken cancellationToken = default) =>
        TraceAsync("delete", type, null, () => _deadLetters.DeleteAllAsync(type, cancellationToken));

    /// <summary>Creates a schedule at the primary server, or replaces it.</summary>
    /// <param name="name">1 to 64 ASCII letters, digits, '.', '_' and '-'.</param>
    /// <exception cref="TaskRejectedException">The name or a field of the schedule is not valid.</exception>
    /// <exception cref="MeshUnavailableException">The primary server does not answer. It is unknown whether the schedule is changed; repeat the operation.</exception>
    /// <exception cref="QueueFullException">The server has reached its limit of schedules.</exception>
    public Task<MeshSchedule> PutScheduleAsync(string name, MeshScheduleRequest schedule, CancellationToken cancellationToken = default) =>
        TraceAsync("put schedule", null, null, () => _schedules.PutAsync(name, schedule, cancellationToken));

    /// <summary>Returns a schedule, or null when no server knows it.</summary>
    /// <exception cref="MeshUnavailableException">No server that answers knows the schedule, and another one does not answer.</exception>
    public Task<MeshSchedule?> GetScheduleAsync(string name, CancellationToken cancellationToken = default) =>
        TraceAsync("get schedule", null, null, () => _schedules.FindAsync(name, cancellationToken));

    /// <summary>Returns the schedules of all servers.</summary>
    /// <exception cref="MeshUnavailableException">A server does not answer.</exception>
    public Task<IReadOnlyList<MeshSchedule>> ListSchedulesAsync(CancellationToken cancellationToken = default) =>
        TraceAsync("list schedules", null, null, () => _schedules.ListAsync(cancellationToken));

    /// <summary>Deletes a schedule. Its accepted tasks go on.</summary>
    /// <returns>False when no server knows it.</returns>
    /// <inheritdoc cref="GetScheduleAsync" path="/exception"/>
    public Task<bool> DeleteScheduleAsync(string name, CancellationToken cancellationToken = default) =>
        TraceAsync("delete schedule", null, null, () => _schedules.DeleteAsync(name, cancellationToken));

    private async Task<string> SubmitAsync(MeshTaskRequest request, MeshTaskRequest withId, CancellationToken cancellationToken)
    {
        await _submitter.SubmitAsync([withId], RequestJson.Write(withId), _ids.RouteOf(request, withId), cancellationToken).ConfigureAwait(false);
        return withId.Options.Id!;
    }

    /// <summary>Submits a task, and returns it when it is done.</summary>
    private Task<MeshTask> RunAsync(MeshTaskRequest request, TimeSpan? timeLimit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var withId = _ids.WithId(request);
        return TraceAsync("run", request.Type, withId.Options.Id, async () =>
        {
            var id = await SubmitAsync(request, withId, cancellationToken).ConfigureAwait(false);
            var task = await _tasks.WaitAsync(id, timeLimit, cancellationToken).ConfigureAwait(false);
            return task.State switch
            {
                MeshTaskState.Done => task,
                MeshTaskState.Dead => throw new TaskDeadException($"Task {id} ({task.Type}) failed after {task.Attempts} attempts at {task.Server}: {task.Error}", task),
                MeshTaskState.Cancelled => throw new TaskCancelledException($"Task {id} ({task.Type}) was cancelled at {task.Server}.", task),
                _ => throw new InvalidOperationException($"A settled task has the state {task.State}."),
            };
        });
    }

    private static async Task<T> TraceAsync<T>(string operation, string? type, string? id, Func<Task<T>> run)
    {
        using var span = MeshClientTelemetry.Start(operation, type, id);
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            MeshClientTelemetry.Fail(span, exception);
            throw;
        }
    }

    private static Uri[] AddressesOf(HttpClient http, MeshClientSettings settings)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(settings);
        var faults = MeshClientSettingsValidator.FindFaults(settings, MeshClientConfiguration.Section);
        faults.AddRange(settings.Endpoints.Where(endpoint => endpoint.Contains("+http", StringComparison.OrdinalIgnoreCase))
            .Select(endpoint => $"{endpoint} is resolved by service discovery, which this client does not use; add the client with AddMeshClient"));
        return faults.Count > 0 ? throw new ArgumentException(string.Join(Environment.NewLine, faults), nameof(settings))
            : settings.Endpoints.Count > 0 ? [.. settings.Endpoints.Select(endpoint => MeshServer.Normalize(new Uri(endpoint)))]
            : http.BaseAddress is { } address ? [MeshServer.Normalize(address)]
            : throw new ArgumentException("The settings have no endpoint, and the HttpClient has no BaseAddress.", nameof(settings));
    }
}
