using System.Net;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Embedded;

/// <summary>The real AppHost with its dashboard, and what it tells server-a of that: where the map's links to traces lead.</summary>
public sealed class DashboardAddressTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dashboard_ItsPortTaken_IsElsewhereAndServersAreToldWhere()
    {
        using var other = Unused.Listener();
        var taken = $"http://localhost:{((IPEndPoint)other.LocalEndpoint).Port}";
        await using var builder = await CreateAsync($"--ASPNETCORE_URLS={taken}");

        var (told, login) = await RunAsync(builder);

        Assert.NotEqual(taken, told);
        Assert.Equal(login?.GetLeftPart(UriPartial.Authority), told);
    }

    [Fact]
    public async Task Dashboard_ItsPortFree_IsThere()
    {
        var free = $"http://localhost:{Unused.Port()}";
        await using var builder = await CreateAsync($"--ASPNETCORE_URLS={free};http://localhost:1");

        var (told, login) = await RunAsync(builder);

        Assert.Equal((free, free), (told, login?.GetLeftPart(UriPartial.Authority)));
    }

    [Fact]
    public async Task Dashboard_NotWanted_ServersAreToldOfNone()
    {
        await using var builder = await CreateAsync($"--ASPNETCORE_URLS=http://localhost:{Unused.Port()}", "--Mesh:Dashboard=false");
        Assert.Equal(("", null), await RunAsync(builder));
    }

    private static Task<IDistributedApplicationTestingBuilder> CreateAsync(params string[] args) =>
        DistributedApplicationTestingBuilder.CreateAsync<Projects.MeshAspire_AppHost>(args, (options, _) => options.DisableDashboard = false, Cancelled);

    /// <summary>Runs the dashboard alone.</summary>
    private static async Task<(object Told, Uri? Login)> RunAsync(IDistributedApplicationTestingBuilder builder)
    {
        var server = builder.CreateResourceBuilder<ProjectResource>("server-a").Resource;
        var context = new EnvironmentCallbackContext(builder.ExecutionContext, server, cancellationToken: Cancelled);
        foreach (var annotation in server.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        await using var console = new StringWriter();
        builder.Services.AddSingleton(new ResourceConsole(TextWriter.Synchronized(console), colour: false));
        builder.Resources.Clear();
        await using (var app = await builder.BuildAsync(Cancelled))
        {
            await app.StartAsync(Cancelled);
            await app.StopAsync(Cancelled);
        }

        var lines = console.ToString().Split(Environment.NewLine).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return (context.EnvironmentVariables["Mesh__Dashboard"], lines.Where(words => words is ["dashboard", _]).Select(words => new Uri(words[1])).SingleOrDefault());
    }
}
