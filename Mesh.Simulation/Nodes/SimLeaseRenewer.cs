namespace Mesh.Simulation;

/// <summary>Has a server's claim before it serves, keeps it, and ends the server that loses it, as Mesh.Server's shell does.</summary>
internal sealed class SimLeaseRenewer(SimWorld world, ServerNode node)
{
    private SimFencingToken _fencingToken;

    /// <summary>The last process may go on, held up as it is.</summary>
    public bool PreviousProcessFrozen { get; set; }

    /// <summary>Waits for the store and for the claim, and lets the server serve.</summary>
    public void Take()
    {
        if (!node.Store.Redis.IsUp)
        {
            node.After(TimeSpan.FromSeconds(1), Take);
            return;
        }

        // That its last process is gone it knows, unless that runs elsewhere.
        if (node.Store.Lease.TryTake(byOwner: true, holderIsGone: !PreviousProcessFrozen && node.Store.Lease.FencingToken == _fencingToken) is not { } fencingToken)
        {
            world.Coverage.Count("server: waits for its claim");
            node.After(TimeSpan.FromSeconds(0.5), Take);
            return;
        }

        _fencingToken = fencingToken;
        Renew();
        node.Serve(fencingToken);
    }

    /// <summary>As the process ends, and is started again by whoever looks after it.</summary>
    public void OnLeaseLost()
    {
        node.Log("has lost its claim");
        world.Coverage.Count("server: lost its claim");
        node.Kill();
        world.Scheduler.After(TimeSpan.FromSeconds(1), node.Start);
    }

    private void Renew() => node.After(SimStore.LeaseExpiry / 3, () =>
    {
        switch (node.Store.Redis.IsUp ? node.Link!.Renew() : StoreVerdict.Ok)
        {
            case StoreVerdict.Ok:
                Renew();
                break;
            case StoreVerdict.RolledBack:
                node.Writer.Check();
                Renew();
                break;
            case StoreVerdict.Lost:
                OnLeaseLost();
                break;
            default:
                throw new InvalidOperationException("Unknown verdict.");
        }
    });
}
