using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

/// <summary>
/// Stops workers, then servers, before the AppHost ends. Aspire stops all resources at once: a server whose Redis is gone, or a worker whose server is, would wait for it until
/// its stop time is over.
/// </summary>
internal sealed class OrderedShutdownService(DistributedApplicationModel model, ResourceCommandService commands) : IHostedLifecycleService
{
    /// <summary>Longer than a server or worker takes to stop.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private int _stopped;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Disposing a test's application stops it once more, when there is no orchestrator to answer.
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

    /// <summary>Whether another project waits for this one before it starts.</summary>
    private bool IsAwaited(ProjectResource project) =>
        model.Resources.OfType<ProjectResource>().Any(other => other.Annotations.OfType<WaitAnnotation>().Any(wait => wait.Resource == project));

    // What does not stop in time is left to Aspire: the end of the AppHost must not depend on an answer of the orchestrator.
    private async Task StopAsync(IEnumerable<ProjectResource> projects, CancellationToken cancellationToken)
    {
        Task stopped = Task.WhenAll(projects.Select(project => commands.ExecuteCommandAsync(project, KnownResourceCommands.StopCommand, cancellationToken)));
        await stopped.WaitAsync(Limit, TimeProvider.System, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}

internal static class OrderedShutdownExtensions
{
    public static void StopServersBeforeRedis(this IDistributedApplicationBuilder builder) => builder.Services.AddHostedService<OrderedShutdownService>();
}
