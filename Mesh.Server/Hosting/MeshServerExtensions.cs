using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Api;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Links;
using Mesh.Server.Producer;
using Mesh.Server.Sessions;
using Mesh.Server.Storage;
using Mesh.Server.Telemetry;
using Mesh.Transport;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Mesh.Server.Hosting;

/// <summary>The parts of a server and how they fit together.</summary>
internal static class MeshServerExtensions
{
    /// <summary>How long one call to Redis may take, milliseconds.</summary>
    private const int RedisTimeout = 3_000;

    /// <summary>The store and the ledger, in Redis.</summary>
    public static void AddMeshRedis(this WebApplicationBuilder builder)
    {
        builder.AddRedisClient("redis", configureOptions: options =>
        {
            options.AbortOnConnectFail = false;
            options.BacklogPolicy = BacklogPolicy.FailFast;
            options.ConnectTimeout = options.AsyncTimeout = options.SyncTimeout = RedisTimeout;
        });
        builder.Services.AddSingleton<IMeshStore>(provider => new RedisMeshStore(
            () => provider.GetRequiredService<IConnectionMultiplexer>().GetDatabase(),
            new ServerId(Options(provider).ServerId!),
            Options(provider).Tasks.ResultRetention));
        builder.Services.AddSingleton<ILedger>(provider => new RedisLedger(provider.GetRequiredService<IConnectionMultiplexer>().GetDatabase()));
    }

    /// <summary>All else. <see cref="IMeshStore"/> and <see cref="ILedger"/> are for the caller to add.</summary>
    public static void AddMeshServer(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<MeshOptions>().ValidateOnStart();
        services.AddSingleton<IConfigureOptions<MeshOptions>, MeshOptionsReader>();
        services.AddSingleton<IValidateOptions<MeshOptions>, MeshOptionsValidator>();
        services.AddSingleton<IConfigureOptions<HostOptions>>(provider => new ConfigureOptions<HostOptions>(
            host => host.ShutdownTimeout = Options(provider).StopTimeout + MeshServerService.FlushTimeout + MeshServerService.FlushTimeout));
        services.AddProblemDetails();
        services.AddOpenApi();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));

        services.AddLoop();
        services.AddConnections();
        services.AddSingleton<TokenGate>();
        services.AddSingleton<StatusFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<StatusFeed>());
        services.AddHostedService<DemoProducer>();
        services.AddHealthChecks().AddCheck<MeshHealthCheck>("mesh");
        builder.WebHost.ConfigureKestrel(ServeLinePeers);
    }

    public static void UseMeshServer(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.Use(app.Services.GetRequiredService<TokenGate>().CheckAsync);
        app.Use(WebSocketPeers.PrepareAsync);
        app.UseWebSockets(new WebSocketOptions
        {
            KeepAliveInterval = MeshConnectionOptions.KeepAliveInterval,
            KeepAliveTimeout = MeshConnectionOptions.KeepAliveTimeout,
        });
        app.Use(app.Services.GetRequiredService<WebSocketPeers>().ServeAsync);
        app.MapMeshApi();
    }

    private static void AddLoop(this IServiceCollection services)
    {
        services.AddSingleton<MeshInbox>();
        services.AddSingleton<LoopState>();
        services.AddSingleton<StoreWriter>();
        services.AddSingleton<TaskVoider>();
        services.AddSingleton<MeshMetrics>();
        services.AddSingleton<MeshEventLog>();
        services.AddSingleton<MeshLoop>();
        services.AddSingleton<SettingsResolver>();
        services.AddHostedService<MeshServerService>();
    }

    private static void AddConnections(this IServiceCollection services)
    {
        services.AddSingleton<SessionTable>();
        services.AddSingleton<LinePeers>();
        services.AddSingleton<WebSocketPeers>();
        services.AddSingleton<PeerLinks>();
        services.AddSingleton(provider => new MeshDialer(new MeshDialerOptions
        {
            Token = Options(provider).Token,
            Connection = new MeshConnectionOptions { TimeProvider = provider.GetRequiredService<TimeProvider>() },
        }));
    }

    private static void ServeLinePeers(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.ConfigureEndpointDefaults(listen => listen.Use(next =>
        {
            var lines = listen.ApplicationServices.GetRequiredService<LinePeers>();
            return context => lines.OnConnectedAsync(context, next);
        }));
    }

    private static MeshOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<MeshOptions>>().Value;
}
