using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

internal sealed class TestingBuilder : IDistributedApplicationTestingBuilder
{
    private readonly EntryPointRun _run;
    private readonly DistributedApplicationBuilder _inner;

    public TestingBuilder(EntryPointRun run, DistributedApplicationBuilder inner)
    {
        (_run, _inner) = (run, inner);
        inner.Services.AddHttpClient();
    }

    public Assembly? AppHostAssembly => _inner.AppHostAssembly;

    public string AppHostDirectory => _inner.AppHostDirectory;

    public ConfigurationManager Configuration => _inner.Configuration;

    public IHostEnvironment Environment => _inner.Environment;

    public DistributedApplicationExecutionContext ExecutionContext => _inner.ExecutionContext;

    public IResourceCollection Resources => _inner.Resources;

    public IServiceCollection Services => _inner.Services;

    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
        => _inner.AddResource(resource);

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource
        => _inner.CreateResourceBuilder(resource);

    public DistributedApplication Build() => BuildAsync().GetAwaiter().GetResult();

    public async Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default) => await _run.BuildAsync(cancellationToken);

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public ValueTask DisposeAsync() => _run.DisposeAsync();
}
