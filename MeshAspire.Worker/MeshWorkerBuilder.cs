using System.Text.Json;
using Mesh.Protocol;
using MeshAspire.Worker.Handlers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MeshAspire.Worker;

/// <summary>Adds handlers to a worker. The worker requests the types of tasks that have a handler, at most 64.</summary>
public sealed class MeshWorkerBuilder
{
    /// <summary>The name of the options of JSON, which the application's own options do not share.</summary>
    internal const string JsonOptionsName = "MeshAspire.Worker";

    internal MeshWorkerBuilder(IServiceCollection services) => Services = services;

    /// <summary>The services of the application.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Adds the handler of a type of tasks, a class with the interface <see cref="ITaskHandler{TPayload, TResult}"/> or <see cref="ITaskHandler{TPayload}"/>. It is created for each
    /// attempt, in a dependency injection scope of its own, unless it is registered in <see cref="Services"/> with another lifetime.
    /// </summary>
    /// <param name="type">The type of the tasks: a letter followed by up to 63 letters, digits, dots, underscores and hyphens.</param>
    /// <exception cref="ArgumentException">The type is not valid, or has a handler already.</exception>
    public MeshWorkerBuilder AddHandler<THandler>(string type)
        where THandler : class, ITaskHandler
    {
        Services.TryAddScoped<THandler>();
        return Add(type, static (context, payload, json) => context.Services.GetRequiredService<THandler>().RunAsync(context, payload, json));
    }

    /// <summary>Adds a function as the handler of a type of tasks.</summary>
    /// <param name="type"><inheritdoc cref="AddHandler{THandler}(string)" path="/param[@name='type']"/></param>
    /// <param name="handler">Runs one attempt and returns the result of the task.</param>
    /// <exception cref="ArgumentException">The type is not valid, or has a handler already.</exception>
    public MeshWorkerBuilder AddHandler<TPayload, TResult>(string type, Func<TPayload, TaskContext, Task<TResult>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(type, async (context, payload, json) => JsonValues.Serialize(await handler(JsonValues.Deserialize<TPayload>(payload, json), context).ConfigureAwait(false), json));
    }

    /// <summary>Adds a function as the handler of a type of tasks that have no result.</summary>
    /// <param name="type"><inheritdoc cref="AddHandler{THandler}(string)" path="/param[@name='type']"/></param>
    /// <param name="handler">Runs one attempt.</param>
    /// <exception cref="ArgumentException">The type is not valid, or has a handler already.</exception>
    public MeshWorkerBuilder AddHandler<TPayload>(string type, Func<TPayload, TaskContext, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(type, async (context, payload, json) =>
        {
            await handler(JsonValues.Deserialize<TPayload>(payload, json), context).ConfigureAwait(false);
            return null;
        });
    }

    /// <summary>
    /// Changes how payloads, results and the payloads of follow-ups are read and written. The default is <see cref="JsonSerializerDefaults.Web"/>, and a property that a constructor
    /// or the keyword required demands must be there. Add a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/> to the chain of resolvers for source generation.
    /// </summary>
    public MeshWorkerBuilder ConfigureJson(Action<JsonSerializerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        Services.Configure<WorkerJsonOptions>(options => configure(options.Serializer));
        return this;
    }

    private MeshWorkerBuilder Add(string type, RunAttempt run)
    {
        ArgumentNullException.ThrowIfNull(type);
        var parsed = TaskType.Parse(type)
            ?? throw new ArgumentException($"'{type}' is not a task type: a letter followed by up to 63 letters, digits, dots, underscores and hyphens, and no other word of the protocol.", nameof(type));
        if (Services.Any(service => service.ImplementationInstance is TaskHandlerRegistration registered && registered.Type == parsed))
        {
            throw new ArgumentException($"{type} has a handler already.", nameof(type));
        }

        Services.AddSingleton(new TaskHandlerRegistration(parsed, run));
        return this;
    }
}
