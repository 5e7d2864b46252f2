using System.Diagnostics;
using Mesh.Common;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server;
using MeshAspire.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OpenTelemetry.Trace;

namespace Mesh.Tests.Worker;

/// <summary>A worker in an application of one's own, as MeshAspire.Worker/README.md shows it.</summary>
public sealed class MeshWorkerExtensionsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Worker_NamedHomeServer_IsFoundByServiceDiscoveryAndRunsTasks()
    {
        await using var server = await TestServer.StartAsync();
        var builder = NewBuilder(("services:server-a:http:0", server.Address.ToString()));
        builder.AddMeshWorker("server-a").AddHandler("GREET", (string name, TaskContext context) => Task.FromResult($"Hello, {name}, {context.Attempt}."));
        using var host = builder.Build();
        await host.StartAsync(Stop);

        var id = await server.SubmitAsync("""{"type":"GREET","payload":"Ana"}""");

        await HangGuard.UntilAsync("the task to be done", async () => (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("state").GetString() == "done");
        Assert.Equal("Hello, Ana, 1.", (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("result").GetString());
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task Health_WithAndWithoutAServer_IsTold()
    {
        await using var home = FakeServer.Start();
        var builder = NewBuilder(("Mesh:HomeServer:Id", "server-a"), ("Mesh:HomeServer:Endpoint", home.Endpoint));
        builder.AddMeshWorker().AddHandler<object?>("GREET", (_, _) => Task.CompletedTask);
        using var host = builder.Build();
        var health = host.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal((HealthStatus.Unhealthy, "The worker has not reached its home server yet."), await CheckAsync());

        await host.StartAsync(Stop);
        await home.NextAskAsync();
        await HangGuard.UntilAsync("the worker to be healthy", async () => await CheckAsync() == (HealthStatus.Healthy, "The worker is connected to server-a."));

        await home.StopAsync();
        await HangGuard.UntilAsync("the worker to be unhealthy", async () => (await CheckAsync()).Status == HealthStatus.Unhealthy);
        Assert.StartsWith("The worker cannot reach server-a: ", (await CheckAsync()).Description, StringComparison.Ordinal);
        await host.StopAsync(Stop);

        async Task<(HealthStatus Status, string? Description)> CheckAsync() =>
            (await health.CheckHealthAsync(Stop)).Entries["mesh-worker"] is var entry ? (entry.Status, entry.Description) : default;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Switches_LeaveOutHealthCheckAndTracing(bool disabled)
    {
        var builder = NewBuilder(("Mesh:DisableTracing", $"{disabled}"));
        builder.AddMeshWorker("server-a", settings => settings.DisableHealthChecks = disabled);
        using var host = builder.Build();

        Assert.Equal(disabled ? [] : ["mesh-worker"], host.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations.Select(check => check.Name));
        Assert.Equal(!disabled, host.Services.GetService<TracerProvider>() is not null && MeshTelemetry.Source.HasListeners());
    }

    [Fact]
    public void Settings_OfTheApplication_ComeAfterTheConfiguration()
    {
        var builder = NewBuilder(("Mesh:Concurrency", "3"), ("Mesh:WorkerId", "w9"), ("Mesh:HomeServer:Endpoint", "10.0.0.9:1"));
        builder.AddMeshWorker("server-a", settings => settings.Concurrency *= 2);
        using var host = builder.Build();
        var settings = host.Services.GetRequiredService<IOptions<MeshWorkerSettings>>().Value;

        Assert.Equal(("w9", 6, "server-a", "10.0.0.9:1"), (settings.WorkerId, settings.Concurrency, settings.HomeServer.Id, settings.HomeServer.Endpoint));
    }

    [Fact]
    public void Settings_NotValid_AreRefusedTogether()
    {
        var builder = NewBuilder(("Mesh:Concurency", "3"));
        builder.AddMeshWorker(configureSettings: settings => settings.StopTimeout = TimeSpan.FromDays(1));
        using var host = builder.Build();

        var exception = Assert.Throws<OptionsValidationException>(() => host.Services.GetRequiredService<IStartupValidator>().Validate());

        Assert.Equal(
            ["Mesh__Concurency", "Mesh__HomeServer__Id", "Mesh__HomeServer__Endpoint", "Mesh__StopTimeout"], exception.Failures.Select(fault => fault.Split(' ')[0]));
    }

    [Fact]
    public void SecondWorker_OfOneApplication_IsRefused()
    {
        var builder = NewBuilder();
        builder.AddMeshWorker("server-a");

        Assert.Throws<InvalidOperationException>(() => builder.AddMeshWorker("server-b"));
    }

    [Fact]
    public async Task Handler_InATrace_ContinuesIt()
    {
        const string trace = "0af7651916cd43dd8448eb211c80319c";
        await using var home = FakeServer.Start();
        var builder = NewBuilder(("Mesh:HomeServer:Id", "server-a"), ("Mesh:HomeServer:Endpoint", home.Endpoint));
        var seen = new TaskCompletionSource<Activity?>();
        builder.AddMeshWorker().AddHandler<object?>("GREET", (_, _) =>
        {
            seen.SetResult(Activity.Current);
            return Task.CompletedTask;
        });
        using var host = builder.Build();
        await host.StartAsync(Stop);

        await (await home.NextAskAsync()).ReplyAsync($$"""{"TASK":"GREET","TASK_ID":"t1","TRACEPARENT":"00-{{trace}}-b7ad6b7169203331-01"}""");

        var activity = await seen.Task.OrFailAsync("the handler to be called");
        Assert.Equal(("process GREET", trace), (activity?.OperationName, activity?.TraceId.ToHexString()));
        await (await home.NextStatusAsync()).AckAsync();
        await home.StopAsync();
        await host.StopAsync(Stop);
    }

    private static HostApplicationBuilder NewBuilder(params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        return builder;
    }
}
