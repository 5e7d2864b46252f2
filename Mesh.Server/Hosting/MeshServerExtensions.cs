using Mesh.Accounts;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Access;
using Mesh.Server.Api;
using Mesh.Server.Core;
using Mesh.Server.Discovery;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Links;
using Mesh.Server.Listening;
using Mesh.Server.Loop;
using Mesh.Server.Map;
using Mesh.Server.Producer;
using Mesh.Server.ServerLeases;
using Mesh.Server.Sessions;
using Mesh.Server.Storage;
using Mesh.Server.StoreWriting;
using Mesh.Server.Supervisor;
using Mesh.Server.Telemetry;
using Mesh.Transport;
using MeshAspire.ServiceDefaults;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Mesh.Server.Hosting;

/// <summary>Registers the services of a server.</summary>
internal static class MeshServerExtensions
{
    /// <summary>The time limit of one call to Redis, in milliseconds. It is long enough for a large batch on a busy machine.</summary>
    private const int RedisTimeout = 5_000;

    /// <summary>The time limit of one attempt to connect to Redis, in milliseconds.</summary>
    private const int RedisConnectTimeout = 2_000;

    /// <summary>
    /// Log level defaults, which all other configuration overrides. They are in code, because a server can be started by its path, where no settings file is found.
    /// <see cref="ServiceRunner"/> reports a failed start in one line, and <see cref="StoreWriter"/> reports an unavailable Redis. The stack traces of other loggers are suppressed.
    /// </summary>
    private static readonly KeyValuePair<string, string?>[] QuietLogs =
    [
        new("Logging:LogLevel:Default", "Information"),
        new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),
        new("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", "Critical"),
        new("Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host", "Critical"),

        // The console shows LoanConsoleLog instead. The other logging providers get each event.
        new($"Logging:Console:LogLevel:{typeof(MeshEventLog).FullName}", "Warning"),
    ];

    /// <summary>Adds the store and the ledger in Redis.</summary>
    public static void AddMeshRedis(this WebApplicationBuilder builder)
    {
        builder.AddRedisClient("redis", configureOptions: options =>
        {
            options.AbortOnConnectFail = false;
            options.BacklogPolicy = BacklogPolicy.FailFast;
            options.ConnectTimeout = RedisConnectTimeout;
            options.AsyncTimeout = options.SyncTimeout = RedisTimeout;
            options.ConnectRetry = 1;
            options.EnableFailoverDetection();
        });
        builder.Services.AddSingleton<IMeshStore>(provider => new RedisMeshStore(
            () => provider.GetRequiredService<IConnectionMultiplexer>().GetDatabase(),
            new ServerId(Options(provider).ServerId!),
            Options(provider).Tasks.ResultRetention,
            Options(provider).Claim.Expiry));
        builder.Services.AddSingleton<IStoreDurabilityInspector>(provider => new RedisDurabilityInspector(provider.GetRequiredService<IConnectionMultiplexer>));
        builder.Services.AddSingleton<ILedger>(provider => new RedisLedger(
            () => provider.GetRequiredService<IConnectionMultiplexer>().GetDatabase(), Options(provider).Tasks.MarkRetention));
    }

    /// <summary>Adds all other services. The caller must add <see cref="IMeshStore"/> and <see cref="ILedger"/>.</summary>
    public static void AddMeshServer(this WebApplicationBuilder builder)
    {
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = QuietLogs });
        var services = builder.Services;
        var files = new SettingsFileFaults();
        files.Watch(builder.Configuration);
        services.AddSingleton(files);
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<MeshOptions>()
            .Configure<IConfiguration>((options, configuration) => SettingsBinder.Bind(configuration.GetSection(MeshOptions.Section), options, options.Unreadable, options.Unknown))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<MeshOptions>, MeshOptionsValidator>();
        services.AddSingleton<IConfigureOptions<HostOptions>>(provider => new ConfigureOptions<HostOptions>(
            host => host.ShutdownTimeout = Options(provider).StopTimeout + MeshServerService.FlushTimeout + MeshServerService.FlushTimeout));
        services.AddProblemDetails();
        services.AddMeshOpenApi();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));

        services.AddLoop();
        services.AddConnections();
        services.AddTokenAuthentication();
        services.AddSingleton<MapPage>();
        services.AddSingleton<StatusFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<StatusFeed>());
        services.AddHostedService<DemoProducer>();
        services.AddHostedService<SupervisorReporter>();
        services.AddHealthChecks().AddCheck<MeshHealthCheck>("mesh");
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<MeshOptions>>((kestrel, mesh) => kestrel.ListenForPeers(mesh.Value));
    }

    public static void UseMeshServer(this WebApplication app)
    {
        app.UseExceptionHandler(Problems.OfExceptions);
        app.UseStatusCodePages();
        app.Use(app.Services.GetRequiredService<MapPage>().ServeAsync);
        app.Use(WebSocketProtocolMiddleware.PrepareAsync);
        app.UseWebSockets(new WebSocketOptions
        {
            KeepAliveInterval = MeshConnectionOptions.KeepAliveInterval,
            KeepAliveTimeout = MeshConnectionOptions.KeepAliveTimeout,
        });
        app.Use(app.Services.GetRequiredService<WebSocketProtocolMiddleware>().SelectAsync);
        app.UseAuthentication();
        app.UseAuthorization();
        app.Use(PathSegmentDecoder.DecodeAsync);
        app.MapMeshApi();
    }

    private static void AddLoop(this IServiceCollection services)
    {
        services.AddSingleton<CoreInputQueue>();
        services.AddSingleton(provider => new TaskWaiters(Options(provider).Tasks.MaxWaits));
        services.AddSingleton<TaskWaitReader>();
        services.AddSingleton<ServerReadiness>();
        services.AddSingleton<IProcessTable, LocalProcess>();
        services.AddSingleton<ServerLeaseRenewer>();
        services.AddSingleton<AdoptedServerLeases>();
        services.AddSingleton<StoreWriter>();
        services.AddSingleton<StoreDurabilityMonitor>();
        services.AddSingleton<TaskInvalidator>();
        services.AddSingleton<MeshMetrics>();
        services.AddSingleton<MeshEventLog>();
        services.AddSingleton<LoanConsoleLog>();
        services.AddSingleton<EffectExecutor>();
        services.AddSingleton<CoreLoop>();
        services.AddSingleton<INameResolver, SystemNameResolver>();
        services.AddSingleton<IServerIdProbe, ServerIdProbe>();
        services.AddSingleton<DnsPeers>();
        services.AddSingleton<ConfiguredPeers>();
        services.AddSingleton<PeerSetMonitor>();
        services.AddSingleton<SettingsResolver>();
        services.AddHostedService<MeshServerService>();
    }

    private static void AddConnections(this IServiceCollection services)
    {
        services.AddSingleton<AccessMetrics>();
        services.AddSingleton<ConnectionLimiter>();
        services.AddSingleton<MessageLogger>();
        services.AddSingleton<SessionTable>();
        services.AddSingleton<WrongProtocolResponder>();
        services.AddSingleton<LineProtocolMiddleware>();
        services.AddSingleton<WebSocketProtocolMiddleware>();
        services.AddSingleton<IPeerTransport, SocketPeerTransport>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<PeerLinks>(provider, (Action<MeshEvent>)provider.GetRequiredService<MeshEventLog>().Report));
        services.AddSingleton(provider => new MeshDialer(new MeshDialerOptions
        {
            Token = () => provider.GetRequiredService<MeshTokens>().ForPeers,
            TrustedAuthorities = TrustedAuthorities.Load(Options(provider).Tls.CaFile),
            Connection = new MeshConnectionOptions { TimeProvider = provider.GetRequiredService<TimeProvider>() },
        }));
    }

    private static MeshOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<MeshOptions>>().Value;
}
