using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mesh.Server.Hosting;

/// <summary>Healthy while the loop runs and the last write went well.</summary>
internal sealed class MeshHealthCheck(LoopState state) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(state.Phase switch
        {
            LoopPhase.Starting => HealthCheckResult.Unhealthy($"Starting: waiting for {state.WaitingFor}."),
            LoopPhase.Running when state.StoreAway => HealthCheckResult.Unhealthy("The store does not answer."),
            LoopPhase.Running => HealthCheckResult.Healthy(),
            LoopPhase.Stopping or LoopPhase.Ended => HealthCheckResult.Unhealthy("Stopping."),
            _ => throw new InvalidOperationException($"Unknown phase {state.Phase}."),
        });
}
