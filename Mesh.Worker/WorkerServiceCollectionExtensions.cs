using Mesh.Accounts;
using Mesh.Worker.Core;
using Mesh.Worker.Handlers;
using MeshAspire.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Mesh.Worker;

internal static class WorkerServiceCollectionExtensions
{
    /// <summary>The time beyond the worker's stop timeout that the host waits, for tasks to be handed back and connections to close.</summary>
    private static readonly TimeSpan ShutdownReserve = TimeSpan.FromSeconds(10);

    /// <summary>Adds the worker, its options and the handlers of QUERY and UPDATE. Requires an <see cref="IConnectionMultiplexer"/>, or an <see cref="ILedger"/> that is registered before.</summary>
    public static IServiceCollection AddMeshWorker(this IServiceCollection services)
    {
        services.AddOptions<WorkerOptions>()
            .Configure<IConfiguration>((options, configuration) => SettingsBinder.Bind(configuration.GetSection(WorkerOptions.Section), options, options.Unreadable, options.Unknown))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<WorkerOptions>, WorkerOptionsValidator>();
        services.AddOptions<HostOptions>().Configure<IOptions<WorkerOptions>>(
            (host, worker) => host.ShutdownTimeout = worker.Value.StopTimeout + ShutdownReserve);
        services.AddServiceDiscovery();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ILedger>(provider => new RedisLedger(() => provider.GetRequiredService<IConnectionMultiplexer>().GetDatabase()));
        services.AddSingleton<LedgerRetryPolicy>();
        services.AddSingleton<ITaskHandler, QueryHandler>();
        services.AddSingleton<ITaskHandler, UpdateHandler>();
        services.AddSingleton<AttemptRunner>();
        services.AddSingleton<MessageLogger>();
        services.AddHostedService<WorkerService>();
        return services;
    }
}
