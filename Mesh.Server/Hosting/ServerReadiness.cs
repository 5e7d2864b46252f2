namespace Mesh.Server.Hosting;

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
