using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Embedded;

/// <summary>The testing API, over the real AppHost, but of its resources at most one that needs no Redis.</summary>
public sealed class TestingTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Create_RunsTheAppHostUpToItsBuild()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MeshAspire_AppHost>(["--Some:Setting=1"], Cancelled);
        Assert.Equal("MeshAspire.AppHost", builder.AppHostAssembly?.GetName().Name);
        Assert.Equal("1", builder.Configuration["Some:Setting"]);
        Assert.Equal(["redis", "server-a", "server-b", "workers-a", "workers-b"], builder.Resources.Where(one => one is not ParameterResource).Select(one => one.Name));
        var missing = Assert.Throws<InvalidOperationException>(() => builder.CreateResourceBuilder<ProjectResource>("server-z"));
        Assert.Equal("There is no resource 'server-z'.", missing.Message);
    }

    [Fact]
    public async Task Create_OfWhatIsNoProgram_SaysSo()
    {
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => DistributedApplicationTestingBuilder.CreateAsync<Mesh.Protocol.NoTask>(Cancelled));
        Assert.Equal("Mesh.Protocol is no program, so no AppHost.", fault.Message);
    }

    [Fact]
    public async Task Application_NotStarted_HasNoEndpoints()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MeshAspire_AppHost>(Cancelled);
        await using var app = await builder.BuildAsync(Cancelled);
        Assert.Throws<InvalidOperationException>(() => app.GetEndpoint("server-a"));
    }

    [Fact]
    public async Task Application_ThatCannotStart_FaultsTheTest()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MeshAspire_AppHost>(["--Mesh:Redis=nonsense"], Cancelled);
        await using var app = await builder.BuildAsync(Cancelled);
        await Assert.ThrowsAsync<DistributedApplicationException>(() => app.StartAsync(Cancelled));
    }

    [Fact]
    public async Task Application_Started_AnswersForWhatItHasNot()
    {
        await using var builder = await OnlyAsync("workers-b");
        await using var app = await builder.BuildAsync(Cancelled);
        await app.StartAsync(Cancelled);
        Assert.Equal("Resource 'server-z' not found. (Parameter 'name')", Assert.Throws<ArgumentException>(() => app.CreateHttpClient("server-z")).Message);
        Assert.Throws<ArgumentException>(() => app.GetEndpoint("workers-b"));
        await Assert.ThrowsAsync<ArgumentException>(async () => await app.GetConnectionStringAsync("workers-b", Cancelled));
    }

    [Fact]
    public async Task Command_StopAndStart_EndsTheProcessAndStartsAnother()
    {
        await using var builder = await OnlyAsync("workers-b");
        builder.CreateResourceBuilder<ProjectResource>("workers-b").WithReplicas(1);
        await using var app = await builder.BuildAsync(Cancelled);
        await app.StartAsync(Cancelled);
        var first = await app.ResourceNotifications.WaitForResourceAsync("workers-b", one => one.Snapshot.ProcessId is not null, Cancelled);

        var stopped = await app.ResourceCommands.ExecuteCommandAsync("workers-b", KnownResourceCommands.StopCommand, Cancelled);
        Assert.True(stopped.Success);
        Assert.Equal(KnownResourceStates.Exited, await app.ResourceNotifications.WaitForResourceAsync("workers-b", KnownResourceStates.TerminalStates, Cancelled));
        Assert.True(app.ResourceNotifications.TryGetCurrentState("workers-b", out var now));
        Assert.Empty(now.Snapshot.Properties);

        var started = await app.ResourceCommands.ExecuteCommandAsync("workers-b", KnownResourceCommands.StartCommand, Cancelled);
        Assert.True(started.Success);
        var second = await app.ResourceNotifications.WaitForResourceAsync("workers-b", one => one.Snapshot.ProcessId is not null, Cancelled);
        Assert.NotEqual(first.Snapshot.ProcessId, second.Snapshot.ProcessId);
    }

    [Theory]
    [InlineData("workers-b", "explode", "Command 'explode' not available for resource 'workers-b'.")]
    [InlineData("workers-z", "stop", "Resource 'workers-z' not found.")]
    public async Task Command_Unknown_FailsWithItsName(string resource, string command, string message)
    {
        await using var builder = await OnlyAsync("workers-b");
        builder.CreateResourceBuilder<ProjectResource>("workers-b").WithReplicas(1);
        await using var app = await builder.BuildAsync(Cancelled);
        await app.StartAsync(Cancelled);
        var result = await app.ResourceCommands.ExecuteCommandAsync(resource, command, Cancelled);
        Assert.Equal((false, message), (result.Success, result.Message));
    }

    /// <summary>The AppHost without all but one of its resources, and without what that waits for.</summary>
    private static async Task<IDistributedApplicationTestingBuilder> OnlyAsync(string name)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MeshAspire_AppHost>(Cancelled);
        builder.Services.AddLogging(logging => logging.ClearProviders());
        var worker = builder.CreateResourceBuilder<ProjectResource>(name);
        builder.Resources.Clear();
        builder.Resources.Add(worker.Resource);
        foreach (var needed in worker.Resource.Annotations.Where(one => one is WaitAnnotation or EnvironmentCallbackAnnotation).ToArray())
        {
            worker.Resource.Annotations.Remove(needed);
        }

        worker
            .WithEnvironment("Mesh__HomeServer__Id", "nobody")
            .WithEnvironment("Mesh__HomeServer__Endpoint", "127.0.0.1:1")
            .WithEnvironment("ConnectionStrings__redis", "127.0.0.1:1");
        return builder;
    }
}
