using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

/// <summary>
/// Stops servers and workers before the AppHost ends. Aspire stops all resources at once; a server whose Redis is gone would wait for it until its stop time is over.
/// </summary>
internal sealed class OrderlyStop(DistributedApplicationModel model, ResourceCommandService commands) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.WhenAll(model.Resources.OfType<ProjectResource>()
        .Select(project => commands.ExecuteCommandAsync(project, KnownResourceCommands.StopCommand, cancellationToken)));

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

internal static class OrderlyStopExtensions
{
    public static void StopServersBeforeRedis(this IDistributedApplicationBuilder builder) => builder.Services.AddHostedService<OrderlyStop>();
}
