using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>The composed application: starts its resources and, when it ends, ends them.</summary>
public class DistributedApplication(IHost host) : IHost, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private Task? _disposal;

    public IServiceProvider Services => host.Services;

    public ResourceCommandService ResourceCommands => Services.GetRequiredService<ResourceCommandService>();

    public ResourceNotificationService ResourceNotifications => Services.GetRequiredService<ResourceNotificationService>();

    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder(new DistributedApplicationOptions());

    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args);

    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options) => new DistributedApplicationBuilder(options);

    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>
    /// Runs until Ctrl-C, SIGTERM or the token. What keeps the application from starting is told on the console and makes the exit code 1.
    /// </summary>
    public virtual async Task RunAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await host.RunAsync(cancellationToken);
        }
        catch (DistributedApplicationException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            Environment.ExitCode = 1;
        }
    }

    /// <summary>Starts the resources, without waiting until they are healthy.</summary>
    public virtual Task StartAsync(CancellationToken cancellationToken = default) => host.StartAsync(cancellationToken);

    /// <summary>Ends the resources: those that wait for others first.</summary>
    public virtual Task StopAsync(CancellationToken cancellationToken = default) => host.StopAsync(cancellationToken);

    public virtual void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        lock (_lock)
        {
            return new(_disposal ??= EndAsync());
        }
    }

    private async Task EndAsync()
    {
        // A test may dispose of what it started without stopping it.
        await Services.GetRequiredService<Orchestrator>().StopAsync(CancellationToken.None);
        switch (host)
        {
            case IAsyncDisposable disposable:
                await disposable.DisposeAsync();
                break;
            default:
                host.Dispose();
                break;
        }
    }
}
