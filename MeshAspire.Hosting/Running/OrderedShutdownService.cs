using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;

namespace MeshAspire.Hosting.Running;

/// <summary>
/// Stops the workers and then the servers before the AppHost ends. Aspire stops all resources at once; a server without its Redis, or a worker without its server, would wait
/// until its stop timeout.
/// </summary>
internal sealed class OrderedShutdownService(DistributedApplicationModel model, ResourceCommandService commands) : IHostedLifecycleService
{
    /// <summary>The limit for one stop. It is longer than the stop timeout of a server or worker.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private int _stopped;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Disposing the application of a test stops it a second time. The orchestrator no longer answers then.
        if (Interlocked.Exchange(ref _stopped, 1) == 1)
        {
            return;
        }

        var projects = model.Resources.OfType<ProjectResource>().ToLookup(IsAwaited);
        await StopAsync(projects[false], cancellationToken);
        await StopAsync(projects[true], cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Returns whether another project waits for this one when it starts.</summary>
    private bool IsAwaited(ProjectResource project) =>
        model.Resources.OfType<ProjectResource>().Any(other => other.Annotations.OfType<WaitAnnotation>().Any(wait => wait.Resource == project));

    // Aspire stops the resources that do not stop in time. The end of the AppHost must not depend on an answer of the orchestrator.
    private async Task StopAsync(IEnumerable<ProjectResource> projects, CancellationToken cancellationToken)
    {
        Task stopped = Task.WhenAll(projects.Select(project => commands.ExecuteCommandAsync(project, KnownResourceCommands.StopCommand, cancellationToken)));
        await stopped.WaitAsync(Limit, TimeProvider.System, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
