using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mesh.Server.Loop;

internal enum LoopPhase : byte
{
    /// <summary>The server resolves the addresses of its peers, acquires its lease or loads the stored state.</summary>
    Starting = 1,
    Running,
    Stopping,
    Ended,
}

/// <summary>The state of the loop that other parts of the server report, for example in health checks.</summary>
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

    /// <summary>A description of what the start waits for.</summary>
    public string WaitingFor
    {
        get => _waitingFor;
        set => _waitingFor = value;
    }

    /// <summary>The reason why the store is unavailable. Set by a failed write, and null again after the next successful write.</summary>
    public string? StoreFault
    {
        get => _storeFault;
        set => _storeFault = value;
    }

    /// <summary>The reason why the store may lose acknowledged changes. While it is set, no tasks are accepted. Otherwise null.</summary>
    public string? DurabilityRisk
    {
        get => _storeRisk;
        set => _storeRisk = value;
    }
}

/// <summary>Healthy while the loop runs, the last write succeeded and the store does not lose acknowledged changes.</summary>
internal sealed class MeshHealthCheck(ServerReadiness state) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(state.Phase switch
        {
            LoopPhase.Starting => HealthCheckResult.Unhealthy($"Starting: waiting for {state.WaitingFor}."),
            LoopPhase.Running when state.StoreFault is { } fault => HealthCheckResult.Unhealthy($"The store is unavailable. {fault}"),
            LoopPhase.Running when state.DurabilityRisk is { } risk => HealthCheckResult.Unhealthy($"The store is not safe. {risk}"),
            LoopPhase.Running => HealthCheckResult.Healthy(),
            LoopPhase.Stopping or LoopPhase.Ended => HealthCheckResult.Unhealthy("Stopping."),
            _ => throw new InvalidOperationException($"Unknown phase {state.Phase}."),
        });
}

/// <summary>Returns the wall clock time of the start plus the elapsed time. It does not change when the clock of the machine is set.</summary>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly long _origin = time.GetTimestamp();

    public DateTimeOffset Now => _start + time.GetElapsedTime(_origin);
}
