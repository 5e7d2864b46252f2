using MeshAspire.Client;
using MeshAspire.Client.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.ServiceDiscovery;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds clients of task servers to an application, by the conventions of Aspire's integrations.</summary>
public static class MeshClientHostingExtensions
{
    /// <summary>The time after which a connection is replaced, so that a changed address of a server is noticed.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Adds a <see cref="MeshClient"/> as a singleton, with a health check and tracing.</summary>
    /// <param name="connectionName">
    /// The name of the server's resource. Its settings are read from <c>Mesh:Client</c>, <c>Mesh:Client:{connectionName}</c> and <c>ConnectionStrings:{connectionName}</c>, each
    /// over the one before. Without an address the server is found by service discovery under this name.
    /// </param>
    /// <param name="configureSettings">Changes the settings after they were read.</param>
    /// <exception cref="OptionsValidationException">Thrown when the application starts: settings are not valid. It has all faults.</exception>
    public static void AddMeshClient(this IHostApplicationBuilder builder, string connectionName, Action<MeshClientSettings>? configureSettings = null) =>
        Add(builder, connectionName, serviceKey: null, configureSettings);

    /// <summary>Adds a <see cref="MeshClient"/> as a keyed singleton, with a health check and tracing.</summary>
    /// <param name="name">The key of the service, and the name of the connection.</param>
    /// <inheritdoc cref="AddMeshClient"/>
    public static void AddKeyedMeshClient(this IHostApplicationBuilder builder, string name, Action<MeshClientSettings>? configureSettings = null) =>
        Add(builder, name, name, configureSettings);

    private static void Add(IHostApplicationBuilder builder, string connectionName, string? serviceKey, Action<MeshClientSettings>? configureSettings)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var settings = new MeshClientSettings();
        var faults = new List<string>();
        MeshClientConfiguration.Read(builder.Configuration, connectionName, settings, faults);
        configureSettings?.Invoke(settings);
        if (settings.Endpoints.Count == 0)
        {
            settings.Endpoints.Add($"https+http://{connectionName}");
        }

        faults.AddRange(MeshClientSettingsValidator.FindFaults(settings, MeshClientConfiguration.Section));
        var name = $"MeshAspire.Client:{connectionName}";
        builder.Services.AddSingleton<IValidateOptions<MeshClientStart>>(new MeshClientStartValidator(name, faults));
        builder.Services.AddOptions<MeshClientStart>(name).ValidateOnStart();
        builder.Services.AddServiceDiscovery();
        AddHttpClient(builder.Services, name, settings);
        if (serviceKey is null)
        {
            builder.Services.AddSingleton(services => Create(services, name, settings));
        }
        else
        {
            builder.Services.AddKeyedSingleton(serviceKey, (services, _) => Create(services, name, settings));
        }

        if (!settings.DisableTracing)
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(MeshClientTelemetry.Name));
        }

        if (!settings.DisableHealthChecks)
        {
            builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
                serviceKey is null ? "mesh-client" : $"mesh-client-{serviceKey}",
                services => new MeshClientHealthCheck(serviceKey is null ? services.GetRequiredService<MeshClient>() : services.GetRequiredKeyedService<MeshClient>(serviceKey)),
                failureStatus: null,
                tags: null));
        }
    }

    private static void AddHttpClient(IServiceCollection services, string name, MeshClientSettings settings)
    {
        var http = services.AddHttpClient(name, client => client.Timeout = Timeout.InfiniteTimeSpan);

        // The application may have given all its clients a handler that repeats or limits requests, and one that sends each request to another endpoint of a service.
        // This client does both itself, because it must know which server may have accepted a task.
#pragma warning disable EXTEXP0001 // The documented way to exclude one client from the defaults of all clients.
        http.RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
        http.ConfigureAdditionalHttpMessageHandlers((handlers, _) =>
        {
            foreach (var handler in handlers.Where(handler => handler.GetType().Assembly == typeof(ServiceEndpointResolver).Assembly).ToList())
            {
                handlers.Remove(handler);
            }
        });
        http.UseSocketsHttpHandler((handler, _) =>
        {
            handler.ConnectTimeout = settings.ConnectTimeout;
            handler.PooledConnectionLifetime = ConnectionLifetime;
            handler.AllowAutoRedirect = false;
            handler.UseCookies = false;
        });
        http.SetHandlerLifetime(Timeout.InfiniteTimeSpan);
    }

    private static MeshClient Create(IServiceProvider services, string name, MeshClientSettings settings)
    {
        // Throws when the settings are not valid and the application was not started.
        _ = services.GetRequiredService<IOptionsMonitor<MeshClientStart>>().Get(name);
        return new MeshClient(
            services.GetRequiredService<IHttpClientFactory>().CreateClient(name),
            new DiscoveredAddresses([.. settings.Endpoints.Select(endpoint => new Uri(endpoint))], services.GetRequiredService<ServiceEndpointResolver>()),
            settings,
            services.GetService<TimeProvider>(),
            services.GetService<ILogger<MeshClient>>());
    }
}
