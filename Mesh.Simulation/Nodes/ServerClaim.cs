namespace Mesh.Simulation;

/// <summary>Has a server's claim before it serves, keeps it, and ends the server that loses it, as Mesh.Server's shell does.</summary>
internal sealed class ServerClaim(SimWorld world, ServerNode node)
{
    private SimEpoch _epoch;

    /// <summary>The last process may go on, held up as it is.</summary>
    public bool PredecessorIsFrozen { get; set; }

    /// <summary>Waits for the store and for the claim, and lets the server serve.</summary>
    public void Take()
    {
        if (!node.Store.Redis.IsUp)
        {
            node.After(TimeSpan.FromSeconds(1), Take);
            return;
        }

        // That its last process is gone it knows, unless that runs elsewhere.
        if (node.Store.Claim.TryTake(byOwner: true, holderIsGone: !PredecessorIsFrozen && node.Store.Claim.Epoch == _epoch) is not { } epoch)
        {
            world.Coverage.Count("server: waits for its claim");
            node.After(TimeSpan.FromSeconds(0.5), Take);
            return;
        }

        _epoch = epoch;
        Renew();
        node.Serve(epoch);
    }

    /// <summary>As the process ends, and is started again by whoever looks after it.</summary>
    public void Lose()
    {
        node.Log("has lost its claim");
        world.Coverage.Count("server: lost its claim");
        node.Kill();
        world.Scheduler.After(TimeSpan.FromSeconds(1), node.Start);
    }

    private void Renew() => node.After(SimStore.ClaimExpiry / 3, () =>
    {
        switch (node.Store.Redis.IsUp ? node.Link!.Renew() : StoreVerdict.Ok)
        {
            case StoreVerdict.Ok:
                Renew();
                break;
            case StoreVerdict.WentBack:
                node.Writer.Check();
                Renew();
                break;
            case StoreVerdict.Lost:
                Lose();
                break;
            default:
                throw new InvalidOperationException("Unknown verdict.");
        }
    });
}
