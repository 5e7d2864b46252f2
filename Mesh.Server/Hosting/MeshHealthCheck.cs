using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mesh.Server.Hosting;

/// <summary>Healthy while the loop runs, the last write went well and the store keeps what it acknowledges.</summary>
internal sealed class MeshHealthCheck(ServerReadiness state) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(state.Phase switch
        {
            LoopPhase.Starting => HealthCheckResult.Unhealthy($"Starting: waiting for {state.WaitingFor}."),
            LoopPhase.Running when state.StoreFault is { } fault => HealthCheckResult.Unhealthy($"The store is away. {fault}"),
            LoopPhase.Running when state.DurabilityRisk is { } risk => HealthCheckResult.Unhealthy($"The store is not safe. {risk}"),
            LoopPhase.Running => HealthCheckResult.Healthy(),
            LoopPhase.Stopping or LoopPhase.Ended => HealthCheckResult.Unhealthy("Stopping."),
            _ => throw new InvalidOperationException($"Unknown phase {state.Phase}."),
        });
}
