using MeshAspire.Embedded.Dashboard.Access;
using MeshAspire.Embedded.Dashboard.Components;
using MeshAspire.Embedded.Dashboard.Feed;
using MeshAspire.Embedded.Dashboard.Live;
using MeshAspire.Embedded.Dashboard.Otlp;
using MeshAspire.Embedded.Dashboard.Telemetry;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.FluentUI.AspNetCore.Components;

namespace MeshAspire.Embedded.Dashboard;

/// <summary>The web application: pages for people behind one door, OTLP for exporters behind another.</summary>
internal static class DashboardApplication
{
    /// <param name="args">Configuration, as <c>--Dashboard:Port=0</c>.</param>
    /// <param name="change">Replaces services, in tests.</param>
    public static WebApplication Build(string[] args, Action<IServiceCollection>? change = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(DashboardApplication).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        var options = builder.Configuration.GetSection(DashboardOptions.Section).Get<DashboardOptions>() ?? new();
        options.Token = options.Token is { Length: > 0 } token ? token : Access.Secret.Generate();
        options.OtlpKey = options.OtlpKey is { Length: > 0 } key ? key : Access.Secret.Generate();

        // Standard output belongs to the feed.
        builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc", LogLevel.Warning);
        // Keys in memory need no encryption, of which it would warn.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Configuration["AllowedHosts"] = "localhost;127.0.0.1;[::1]";

        builder.Services.AddSingleton(options);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new TelemetryLimits());
        builder.Services.AddSingleton<TelemetryStore>();
        builder.Services.AddSingleton<OtlpIngest>();
        builder.Services.AddSingleton<ResourceBoard>();
        builder.Services.AddSingleton<ConsoleStore>();
        builder.Services.AddSingleton<FeedLink>();
        builder.Services.AddHostedService(services => services.GetRequiredService<FeedLink>());
        builder.Services.AddSingleton<Pulse>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Pulse>());
        builder.Services.AddScoped<Viewer>();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = OtlpEndpoints.RequestLimit);
        builder.Services.AddRequestDecompression();
        builder.Services.AddDataProtection().AddKeyManagementOptions(keys => keys.XmlRepository = new MemoryKeys());
        builder.Services.AddRazorComponents().AddInteractiveServerComponents();
        builder.Services.AddFluentUIComponents();
        change?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseMiddleware<Gate>();
        app.UseRouting();
        app.Use(KeepDoorsApart);
        app.UseRequestDecompression();
        app.UseAntiforgery();
        app.MapOtlp();
        app.MapLogin(options);
        app.MapStaticAssets();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, DashboardOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = OtlpEndpoints.RequestLimit;
        Listen(kestrel, options.Port, HttpProtocols.Http1, Door.Page);
        // Without TLS a connection can't negotiate: gRPC, which is HTTP/2, has a port to itself.
        Listen(kestrel, options.OtlpGrpcPort, HttpProtocols.Http2, Door.Otlp);
        Listen(kestrel, options.OtlpHttpPort, HttpProtocols.Http1, Door.Otlp);
    }

    private static void Listen(KestrelServerOptions kestrel, int port, HttpProtocols protocols, Door door)
    {
        void Configure(ListenOptions listen)
        {
            listen.Protocols = protocols;
            listen.Use(next => connection =>
            {
                door.Mark(connection.Items);
                return next(connection);
            });
        }

        if (port == 0)
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, Configure);
        }
        else
        {
            kestrel.ListenLocalhost(port, Configure);
        }
    }

    /// <summary>Telemetry isn't taken where people come in, nor are pages shown to exporters.</summary>
    private static Task KeepDoorsApart(HttpContext context, RequestDelegate next)
    {
        var meant = context.GetEndpoint()?.Metadata.GetMetadata<Door>() ?? Door.Page;
        if (context.GetEndpoint() is null || meant == Door.Of(context))
        {
            return next(context);
        }

        context.SetEndpoint(null);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
