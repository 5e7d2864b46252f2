using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mesh.Server.Loop;

internal enum LoopPhase : byte
{
    /// <summary>Finding the peers' addresses, or loading the stored state.</summary>
    Starting = 1,
    Running,
    Stopping,
    Ended,
}

/// <summary>What others may know of the loop: for health checks.</summary>
internal sealed class ServerReadiness
{
    private volatile LoopPhase _phase = LoopPhase.Starting;
    private volatile string _waitingFor = "the server to listen";
    private volatile string? _storeFault;
    private volatile string? _storeRisk;

    public LoopPhase Phase
    {
        get => _phase;
        set => _phase = value;
    }

    /// <summary>What the start waits for, in words.</summary>
    public string WaitingFor
    {
        get => _waitingFor;
        set => _waitingFor = value;
    }

    /// <summary>From a failed write until the next one that succeeds: why the store is away, in words. Else null.</summary>
    public string? StoreFault
    {
        get => _storeFault;
        set => _storeFault = value;
    }

    /// <summary>While the store may lose what it acknowledges, so that no tasks are accepted: why, in words. Else null.</summary>
    public string? DurabilityRisk
    {
        get => _storeRisk;
        set => _storeRisk = value;
    }
}

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

/// <summary>The wall clock at the start plus the elapsed time. It does not change when the clock of the machine is set.</summary>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly long _origin = time.GetTimestamp();

    public DateTimeOffset Now => _start + time.GetElapsedTime(_origin);
}
