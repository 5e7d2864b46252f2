using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MeshAspire.Worker;

/// <summary>Healthy while the worker is in contact with its home server or a borrower.</summary>
internal sealed class WorkerHealthCheck(ServerContact contact) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        contact.IsReached ? HealthCheckResult.Healthy(contact.Description) : new HealthCheckResult(context.Registration.FailureStatus, contact.Description));
}
