using Mesh.Common;
using MeshAspire.Worker;
using MeshAspire.Worker.Handlers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds a worker of a mesh to an application.</summary>
public static class MeshWorkerExtensions
{
    private const string HealthCheckName = "mesh-worker";

    /// <summary>The time beyond the worker's stop timeout that the host waits, for tasks to be handed back and connections to close.</summary>
    private static readonly TimeSpan ShutdownReserve = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Adds a worker that runs the tasks of its home server, and those of other servers while it is lent. Its settings are the section Mesh of the configuration
    /// (<see cref="MeshWorkerSettings"/>). The host validates them when it starts, and stops all tasks before it stops.
    /// </summary>
    /// <param name="builder">The builder of the application.</param>
    /// <param name="homeServer">
    /// The name of the home server: its resource in the AppHost, which is its id and its name in service discovery. Not needed when the configuration has Mesh:HomeServer.
    /// </param>
    /// <param name="configureSettings">Changes the settings after the configuration was read.</param>
    /// <returns>A builder that adds the handlers.</returns>
    /// <exception cref="InvalidOperationException">The application has a worker already.</exception>
    public static MeshWorkerBuilder AddMeshWorker(this IHostApplicationBuilder builder, string? homeServer = null, Action<MeshWorkerSettings>? configureSettings = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Services.Any(service => service.ServiceType == typeof(MeshWorkerBuilder)))
        {
            throw new InvalidOperationException("The application has a worker already. Add all handlers to it: one worker runs tasks of several types.");
        }

        builder.AddSecretsDirectory();
        var settings = Read(builder.Configuration, homeServer, configureSettings);
        var worker = new MeshWorkerBuilder(builder.Services);
        builder.Services.AddSingleton(worker);
        builder.Services.AddOptions<MeshWorkerSettings>().ValidateOnStart();
        builder.Services.AddSingleton<IOptionsFactory<MeshWorkerSettings>>(services => new SettingsFactory(settings, services.GetServices<IValidateOptions<MeshWorkerSettings>>()));
        builder.Services.AddSingleton<IValidateOptions<MeshWorkerSettings>, MeshWorkerSettingsValidator>();
        builder.Services.AddOptions<HostOptions>().Configure(host => host.ShutdownTimeout = settings.StopTimeout + ShutdownReserve);
        builder.Services.AddServiceDiscovery();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<AttemptRunner>();
        builder.Services.AddSingleton<MessageLogger>();
        builder.Services.AddSingleton<ServerContact>();
        builder.Services.AddHostedService<WorkerService>();
        if (!settings.DisableHealthChecks)
        {
            builder.Services.AddHealthChecks().AddCheck<WorkerHealthCheck>(HealthCheckName);
        }

        if (!settings.DisableTracing)
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(MeshTelemetry.Name));
        }

        return worker;
    }

    private static MeshWorkerSettings Read(IConfiguration configuration, string? homeServer, Action<MeshWorkerSettings>? configure)
    {
        var settings = new MeshWorkerSettings();
        (settings.HomeServer.Id, settings.HomeServer.Endpoint) = (homeServer ?? "", homeServer ?? "");
        SettingsBinder.Bind(configuration.GetSection(MeshWorkerSettings.Section), settings, settings.Unreadable, settings.Unknown);
        settings.ConfiguredToken = settings.Token;
        configure?.Invoke(settings);
        return settings;
    }

    /// <summary>Validates the settings, which were created with the application's builder, because they decide what is added to it.</summary>
    private sealed class SettingsFactory(MeshWorkerSettings settings, IEnumerable<IValidateOptions<MeshWorkerSettings>> validators)
        : OptionsFactory<MeshWorkerSettings>([], [], validators)
    {
        protected override MeshWorkerSettings CreateInstance(string name) => settings;
    }
}
