using Mesh.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every service of the solution has in common: telemetry, health, service discovery, resilient HTTP clients.</summary>
public static class Extensions
{
    private const string HealthPath = "/health";
    private const string AlivePath = "/alive";
    private const string LiveTag = "live";

    /// <summary>Requests that machines repeat every few seconds: probes, and a server's state, which an autoscaler polls and a map streams.</summary>
    private static readonly PathString[] PolledPaths = [HealthPath, AlivePath, "/status", "/events"];

    /// <summary>
    /// Defaults under all other configuration. A server makes spans by the thousand at once, and OpenTelemetry's own queue of 2,048 would drop most of such a burst.
    /// Polly tells each request that goes well; over OTLP/HTTP each export of such a record would make the next. StackExchange.Redis writes some fifty lines for each
    /// attempt to connect; the servers and workers say in one that Redis is away.
    /// </summary>
    private static readonly KeyValuePair<string, string?>[] Defaults =
    [
        new("OTEL_BSP_MAX_QUEUE_SIZE", "32768"), new("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1024"), new("Logging:LogLevel:Polly", "Warning"),
        new("Logging:LogLevel:StackExchange.Redis", "Critical"),
    ];

    /// <summary>Adds all of it, to a web application or to a worker.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.ConfigureOpenTelemetry();
        builder.AddDefaultHealthChecks();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        return builder;
    }

    /// <summary>Logs, metrics and traces; sent by OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set.</summary>
    public static TBuilder ConfigureOpenTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Defaults });
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddMeter(MeshTelemetry.Name)
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation())
            .WithTracing(tracing => tracing
                .AddSource(MeshTelemetry.Name, builder.Environment.ApplicationName)
                .AddAspNetCoreInstrumentation(options => options.Filter = context => IsTraced(context.Request))
                .AddHttpClientInstrumentation()
                .ConfigureSampler((_, sampler) => new RedisCommandSampler(sampler)));
        if (!string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            telemetry.UseOtlpExporter();
        }

        return builder;
    }

    /// <summary>The check behind /alive: the process answers.</summary>
    public static TBuilder AddDefaultHealthChecks<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);
        return builder;
    }

    /// <summary>
    /// /health: all checks pass, the service takes work. /alive: the process answers. They are mapped in every environment and need no authentication: the answer is one word.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        var probe = new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]);
        app.MapHealthChecks(HealthPath).WithMetadata(probe).AllowAnonymous();
        app.MapHealthChecks(AlivePath, new HealthCheckOptions { Predicate = check => check.Tags.Contains(LiveTag) }).WithMetadata(probe).AllowAnonymous();
        return app;
    }

    /// <summary>Whether a request gets a span. One that is polled does not, nor a WebSocket: it stays open for hours, and its span would come with its end.</summary>
    private static bool IsTraced(HttpRequest request) =>
        request.Headers.Upgrade.Count == 0 && !Array.Exists(PolledPaths, path => request.Path.StartsWithSegments(path));
}
