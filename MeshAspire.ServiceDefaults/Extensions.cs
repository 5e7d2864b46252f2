using Mesh.Common;
using MeshAspire.ServiceDefaults;
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

/// <summary>Adds what all services of the solution share: telemetry, health checks, service discovery and resilient HTTP clients.</summary>
public static class Extensions
{
    private const string HealthPath = "/health";
    private const string AlivePath = "/alive";
    private const string LiveTag = "live";

    /// <summary>Paths that programs request every few seconds: health probes, and the status of a server for autoscalers and the map.</summary>
    private static readonly PathString[] PolledPaths = [HealthPath, AlivePath, "/status", "/events"];

    /// <summary>
    /// Defaults that all other configuration overrides. A server creates thousands of spans at once, and OpenTelemetry's default queue of 2,048 would drop most of them.
    /// Polly logs each successful request, so that each export over OTLP/HTTP would cause the next one. StackExchange.Redis writes about fifty lines for each attempt to connect.
    /// The servers and workers log once that Redis is unavailable.
    /// </summary>
    private static readonly KeyValuePair<string, string?>[] Defaults =
    [
        new("OTEL_BSP_MAX_QUEUE_SIZE", "32768"), new("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1024"), new("Logging:LogLevel:Polly", "Warning"),
        new("Logging:LogLevel:StackExchange.Redis", "Critical"),
    ];

    /// <summary>Adds telemetry, health checks, service discovery and resilient HTTP clients to a web application or a worker.</summary>
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

    /// <summary>Adds logs, metrics and traces. They are exported by OTLP when OTEL_EXPORTER_OTLP_ENDPOINT is set.</summary>
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

    /// <summary>Adds the health check of /alive, which succeeds while the process answers.</summary>
    public static TBuilder AddDefaultHealthChecks<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);
        return builder;
    }

    /// <summary>
    /// Maps /health, which succeeds when all checks pass, and /alive, which succeeds while the process answers. They are mapped in every environment. They need no
    /// authentication, because their answer is one word.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        var probe = new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]);
        app.MapHealthChecks(HealthPath).WithMetadata(probe).AllowAnonymous();
        app.MapHealthChecks(AlivePath, new HealthCheckOptions { Predicate = check => check.Tags.Contains(LiveTag) }).WithMetadata(probe).AllowAnonymous();
        return app;
    }

    /// <summary>Returns whether a request gets a span. Polled requests do not. WebSockets do not either, because a span is exported at its end, which is hours later.</summary>
    private static bool IsTraced(HttpRequest request) =>
        request.Headers.Upgrade.Count == 0 && !Array.Exists(PolledPaths, path => request.Path.StartsWithSegments(path));
}
