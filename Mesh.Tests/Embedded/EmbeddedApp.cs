using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Embedded;

/// <summary>A small AppHost in the test's own process, its console a text.</summary>
internal sealed class EmbeddedApp : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mesh-embedded-");
    private readonly StringWriter _console = new();
    private DistributedApplication? _app;

    public EmbeddedApp(params string[] args)
    {
        Builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { Args = args, ProjectDirectory = _directory.FullName });
        Builder.Services.AddSingleton(new ResourceConsole(TextWriter.Synchronized(_console), colour: false));
    }

    public IDistributedApplicationBuilder Builder { get; }

    public string Console => _console.ToString();

    public DistributedApplication App => _app ??= Builder.Build();

    public async Task<IReadOnlyDictionary<string, string>> EnvironmentAsync(IResource resource)
    {
        var ports = App.Services.GetRequiredService<Ports>();
        if (Builder.Resources.SelectMany(one => one.Annotations.OfType<EndpointAnnotation>()).Any(endpoint => endpoint.Address is null))
        {
            ports.Allocate(Builder.Resources);
        }

        return await App.Services.GetRequiredService<EnvironmentComposer>()
            .ComposeAsync(resource, $"{resource.Name}-1", TestContext.Current.CancellationToken);
    }

    public Task<ResourceEvent> WaitAsync(string resource, Func<ResourceEvent, bool> predicate) =>
        App.ResourceNotifications.WaitForResourceAsync(resource, predicate, TestContext.Current.CancellationToken)
            .WaitAsync(Patience, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await _console.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}

/// <summary>Ends at once with exit code 2: the guardian, called without what it needs.</summary>
[ProjectOutput("MeshAspire.Embedded.dll")]
internal sealed class EndsAtOnce : IProjectMetadata
{
    public string ProjectPath => Path.Combine(AppContext.BaseDirectory, "EndsAtOnce.csproj");
}

/// <summary>Runs until it is stopped: a worker, whose server never comes.</summary>
[ProjectOutput("Mesh.Worker.dll")]
internal sealed class Runs : IProjectMetadata
{
    public string ProjectPath => Path.Combine(AppContext.BaseDirectory, "Runs.csproj");
}

[ProjectOutput("Missing.dll")]
internal sealed class NotBuilt : IProjectMetadata
{
    public string ProjectPath => Path.Combine(AppContext.BaseDirectory, "NotBuilt.csproj");
}
