using System.Collections.Concurrent;
using MeshAspire.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Trace;
using MeshClient = MeshAspire.Client.MeshClient;

namespace Mesh.Tests.Client;

/// <summary>A client in an application that has the usual service defaults: a resilience handler and service discovery for all HTTP clients.</summary>
public sealed class HostedClientTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Submit_HostWithStandardResilience_SendsEachAttemptOnce()
    {
        await using var server = await StubServer.StartAsync(StatusCodes.Status503ServiceUnavailable);
        using var host = await StartAsync(server.Named("server-a"), ("Mesh:Client:RetryLimit", "1"), ("Mesh:Client:RetryDelay", "00:00:00.001"));

        await Assert.ThrowsAsync<TaskOutcomeUnknownException>(() => host.Services.GetRequiredService<MeshClient>().SubmitAsync(new MeshTaskRequest("RESIZE"), Stop));

        Assert.Equal(["POST /tasks", "POST /tasks"], server.Received);
    }

    [Fact]
    public async Task Handlers_HostWithStandardResilience_NeitherRepeatNorResolve()
    {
        using var host = await StartAsync();

        var types = Handlers(host.Services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("MeshAspire.Client:server-a")).Select(handler => handler.GetType().FullName!).ToList();

        Assert.DoesNotContain(types, type => type.Contains("Resilience", StringComparison.Ordinal) || type.Contains("ServiceDiscovery", StringComparison.Ordinal));
        Assert.Equal(typeof(SocketsHttpHandler).FullName, types[^1]);

        // The handlers of other clients stay.
        Assert.Contains(Handlers(host.Services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("other")), handler => handler.GetType().Name == "ResilienceHandler");
    }

    [Fact]
    public async Task Discovery_SeveralEndpointsOfAService_AreTriedInOrderAndNotInTurn()
    {
        await using var first = await StubServer.StartAsync(StatusCodes.Status503ServiceUnavailable, StatusCodes.Status202Accepted);
        await using var second = await StubServer.StartAsync(StatusCodes.Status202Accepted);
        using var host = await StartAsync(("Services:server-a:http:0", first.Address), ("Services:server-a:http:1", second.Address), ("Mesh:Client:RetryDelay", "00:00:00.001"));
        var client = host.Services.GetRequiredService<MeshClient>();

        await client.SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);
        await client.SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);

        Assert.Equal(3, first.Received.Count);
        Assert.Empty(second.Received);
    }

    [Fact]
    public async Task Discovery_ByNameOrByAddress_BothAreUsed()
    {
        await using var named = await StubServer.StartAsync(StatusCodes.Status429TooManyRequests);
        await using var direct = await StubServer.StartAsync(StatusCodes.Status202Accepted);
        using var host = await StartAsync(named.Named("server-b"), ("Mesh:Client:Endpoints", $"https+http://server-b, {direct.Address}"));

        await host.Services.GetRequiredService<MeshClient>().SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);

        Assert.Equal((1, 1), (named.Received.Count, direct.Received.Count));
    }

    [Fact]
    public async Task Keyed_TwoServers_HaveClientsAndHealthChecksOfTheirOwn()
    {
        await using var a = await StubServer.StartAsync(StatusCodes.Status202Accepted);
        await using var b = await StubServer.StartAsync(StatusCodes.Status202Accepted);
        var builder = Builder(a.Named("server-a"), b.Named("server-b"));
        builder.AddKeyedMeshClient("server-a");
        builder.AddKeyedMeshClient("server-b");
        using var host = builder.Build();

        await host.Services.GetRequiredKeyedService<MeshClient>("server-b").SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);

        Assert.Equal((0, 1), (a.Received.Count, b.Received.Count));
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop);
        Assert.Equal(["mesh-client-server-a", "mesh-client-server-b"], report.Entries.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(200, 200, HealthStatus.Healthy)]
    [InlineData(200, 503, HealthStatus.Healthy)]
    [InlineData(503, 200, HealthStatus.Degraded)]
    [InlineData(503, 503, HealthStatus.Unhealthy)]
    public async Task HealthCheck_OfPrimaryAndFallback_HasItsStatus(int primary, int fallback, HealthStatus status)
    {
        await using var a = await StubServer.StartAsync(primary);
        await using var b = await StubServer.StartAsync(fallback);
        using var host = await StartAsync(("Mesh:Client:Endpoints", $"{a.Address},{b.Address}"));

        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop);

        Assert.Equal(status, Assert.Single(report.Entries, entry => entry.Key == "mesh-client").Value.Status);
        Assert.Equal(["GET /health"], a.Received);
    }

    [Fact]
    public async Task DisableHealthChecks_InTheSettings_AddsNone()
    {
        using var host = await StartAsync(("Mesh:Client:DisableHealthChecks", "true"));

        Assert.Empty((await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop)).Entries);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DisableTracing_InTheSettings_DecidesWhetherSpansAreExported(bool isDisabled)
    {
        await using var server = await StubServer.StartAsync(StatusCodes.Status202Accepted);
        var builder = Builder(server.Named("server-a"), ("Mesh:Client:DisableTracing", $"{isDisabled}"));
        builder.AddMeshClient("server-a");
        var ended = new ConcurrentBag<string>();
        builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddProcessor(new RecordingProcessor(ended)));
        using var host = builder.Build();
        await host.StartAsync(Stop);

        var id = await host.Services.GetRequiredService<MeshClient>().SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);

        Assert.Equal(isDisabled ? 0 : 1, ended.Count(one => one == id));
    }

    private static async Task<IHost> StartAsync(params (string Key, string Value)[] values)
    {
        var builder = Builder(values);
        builder.AddMeshClient("server-a");
        var host = builder.Build();
        await host.StartAsync(Stop);
        return host;
    }

    private static HostApplicationBuilder Builder(params (string Key, string Value)[] values)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(values.ToDictionary(value => value.Key, value => (string?)value.Value));
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        builder.Services.AddHealthChecks();
        return builder;
    }

    private static IEnumerable<HttpMessageHandler> Handlers(HttpMessageHandler? handler)
    {
        for (; handler is not null; handler = (handler as DelegatingHandler)?.InnerHandler)
        {
            yield return handler;
        }
    }

    private sealed class RecordingProcessor(ConcurrentBag<string> ids) : BaseProcessor<System.Diagnostics.Activity>
    {
        public override void OnEnd(System.Diagnostics.Activity data)
        {
            if (data.GetTagItem("messaging.message.id") is string id)
            {
                ids.Add(id);
            }
        }
    }

    /// <summary>A web server that answers with statuses, one after the other. The last one is repeated.</summary>
    private sealed class StubServer(WebApplication app) : IAsyncDisposable
    {
        public ConcurrentQueue<string> Received { get; } = [];

        public string Address => app.Urls.First();

        public static async Task<StubServer> StartAsync(params int[] statuses)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var stub = new StubServer(builder.Build());
            stub.Run(new(statuses));
            await stub.StartAsync();
            return stub;
        }

        /// <summary>The configuration with which service discovery finds the server.</summary>
        public (string Key, string Value) Named(string name) => ($"Services:{name}:http:0", Address);

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private Task StartAsync() => app.StartAsync(Stop);

        private void Run(Queue<int> statuses) => app.Run(context =>
        {
            Received.Enqueue($"{context.Request.Method} {context.Request.Path}");
            lock (statuses)
            {
                context.Response.StatusCode = statuses.Count > 1 ? statuses.Dequeue() : statuses.Peek();
            }

            return Task.CompletedTask;
        });
    }
}
