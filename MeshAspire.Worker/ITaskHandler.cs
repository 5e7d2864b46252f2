using System.Text.Json;
using MeshAspire.Worker.Handlers;

namespace MeshAspire.Worker;

/// <summary>A handler of tasks. Implement <see cref="ITaskHandler{TPayload, TResult}"/> or <see cref="ITaskHandler{TPayload}"/>.</summary>
public interface ITaskHandler
{
    /// <summary>Runs an attempt with the payload as JSON. Returns the result as JSON, or null when there is none. Its signature has no type of another project, because the package shows none.</summary>
    internal Task<byte[]?> RunAsync(TaskContext context, ReadOnlyMemory<byte> payload, JsonSerializerOptions json);
}

/// <summary>Handles tasks with a payload and a result, which System.Text.Json reads and writes.</summary>
/// <typeparam name="TPayload">The type of the payload. QUERY and UPDATE have the payload {"user": …, "amount": …}.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public interface ITaskHandler<in TPayload, TResult> : ITaskHandler
{
    /// <summary>
    /// Runs one attempt, for as long as it takes: the worker tells the server at intervals that it goes on. Called for several tasks at the same time, and again for a task whose earlier
    /// attempt failed or whose result was lost, so it must be thread-safe and idempotent. An exception fails the attempt, and the task is tried again;
    /// <see cref="TaskFailedException"/> decides whether and when.
    /// </summary>
    /// <returns>The result of the task.</returns>
    Task<TResult> HandleAsync(TPayload payload, TaskContext context);

    async Task<byte[]?> ITaskHandler.RunAsync(TaskContext context, ReadOnlyMemory<byte> payload, JsonSerializerOptions json) =>
        JsonValues.Serialize(await HandleAsync(JsonValues.Deserialize<TPayload>(payload, json), context).ConfigureAwait(false), json);
}

/// <summary>Handles tasks that have a payload and no result.</summary>
/// <typeparam name="TPayload"><inheritdoc cref="ITaskHandler{TPayload, TResult}" path="/typeparam[@name='TPayload']"/></typeparam>
public interface ITaskHandler<in TPayload> : ITaskHandler
{
    /// <inheritdoc cref="ITaskHandler{TPayload, TResult}.HandleAsync"/>
    Task HandleAsync(TPayload payload, TaskContext context);

    async Task<byte[]?> ITaskHandler.RunAsync(TaskContext context, ReadOnlyMemory<byte> payload, JsonSerializerOptions json)
    {
        await HandleAsync(JsonValues.Deserialize<TPayload>(payload, json), context).ConfigureAwait(false);
        return null;
    }
}
