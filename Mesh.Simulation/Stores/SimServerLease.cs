namespace Mesh.Simulation;

/// <summary>Who may write a server's state. The number alone may come twice, from a store that has lost what it knew; the instance never does.</summary>
internal readonly record struct SimFencingToken(long Number, int Instance);

/// <summary>What the store says to a process that writes or renews.</summary>
internal enum StoreVerdict : byte
{
    Ok = 1,

    /// <summary>Another has the claim.</summary>
    Lost,

    /// <summary>It holds less than it has acknowledged to this process.</summary>
    RolledBack,
}

/// <summary>The claim on one server's state, and the number of the last write to it, as the scripts of Mesh.Server/Storage have them.</summary>
internal sealed class SimServerLease(SimRedis redis, Mutation mutation)
{
    private readonly record struct State(SimFencingToken FencingToken, TimeSpan Until, TimeSpan TakenAt, bool IsWanted, long Written);

    private State _state;

    public SimFencingToken FencingToken => _state.FencingToken;

    public TimeSpan TakenAt => _state.TakenAt;

    /// <summary>The owner waits for its adopter to give the claim up.</summary>
    public bool IsWanted => _state.IsWanted;

    /// <summary>The number of the last write.</summary>
    public long Written => _state.Written;

    /// <summary>The new fencingToken, or null when somebody else has the claim.</summary>
    /// <param name="byOwner">False for an adopter.</param>
    /// <param name="holderIsGone">The holder is known to be gone: its claim need not expire.</param>
    public SimFencingToken? TryTake(bool byOwner, bool holderIsGone)
    {
        if (_state.Until > redis.Scheduler.Now && !holderIsGone)
        {
            Set(_state with { IsWanted = IsWanted || byOwner });
            return null;
        }

        var fencingToken = new SimFencingToken(FencingToken.Number + 1, redis.NextInstance());
        Set(_state with { FencingToken = fencingToken, Until = redis.Scheduler.Now + SimStore.LeaseExpiry, TakenAt = redis.Scheduler.Now, IsWanted = false });
        return fencingToken;
    }

    /// <param name="fencingToken">Of the process that asks.</param>
    /// <param name="known">The last write that was acknowledged to it.</param>
    public StoreVerdict Check(SimFencingToken fencingToken, long known)
    {
        if (fencingToken != FencingToken && mutation != Mutation.LeaseNotChecked)
        {
            return fencingToken.Number > FencingToken.Number ? StoreVerdict.RolledBack : StoreVerdict.Lost;
        }

        return known > Written && mutation != Mutation.LossNotNoticed ? StoreVerdict.RolledBack : StoreVerdict.Ok;
    }

    public StoreVerdict Renew(SimFencingToken fencingToken, long known)
    {
        var verdict = Check(fencingToken, known);
        if (verdict == StoreVerdict.Ok)
        {
            Set(_state with { Until = redis.Scheduler.Now + SimStore.LeaseExpiry });
        }

        return verdict;
    }

    public void Release(SimFencingToken fencingToken)
    {
        if (fencingToken == FencingToken)
        {
            Set(_state with { Until = TimeSpan.Zero });
        }
    }

    /// <summary>The store has gone back: its holder takes it as it is, unless another has taken the claim since.</summary>
    public bool TryAcceptRollback(SimFencingToken fencingToken)
    {
        if (fencingToken != FencingToken && fencingToken.Number <= FencingToken.Number)
        {
            return false;
        }

        Set(_state with { FencingToken = fencingToken, Until = redis.Scheduler.Now + SimStore.LeaseExpiry });
        return true;
    }

    /// <summary>False when a later write was here before: this one changes nothing.</summary>
    public bool TryCount(long number)
    {
        if (number <= Written && mutation != Mutation.LateWriteApplied)
        {
            return false;
        }

        Set(_state with { Written = Math.Max(Written, number) });
        return true;
    }

    private void Set(State state)
    {
        var before = _state;
        redis.RecordUndo(() => _state = before);
        _state = state;
    }
}
