using Mesh.Protocol;
using MeshAspire.Worker;
using MeshAspire.Worker.Handlers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Tests.Worker.Handlers;

/// <summary>Creates contexts of attempts that no worker runs.</summary>
internal static class TaskContexts
{
    public static TaskContext Create(NewTask task, CancellationToken cancellationToken, IServiceProvider? services = null) => new(
        task,
        new WorkerId("w1"),
        (services ?? new ServiceCollection().BuildServiceProvider()).GetRequiredService<IServiceScopeFactory>(),
        new WorkerJsonOptions().Serializer,
        NullLogger.Instance,
        cancellationToken);
}
