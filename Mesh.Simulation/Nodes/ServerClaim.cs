namespace Mesh.Simulation;

/// <summary>Has a server's claim before it serves, keeps it, and ends the server that loses it, as Mesh.Server's shell does.</summary>
internal sealed class ServerClaim(SimWorld world, ServerNode node)
{
    private long _epoch;

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
        if (node.Store.TryClaim(byOwner: true, holderIsGone: !PredecessorIsFrozen && node.Store.Epoch == _epoch) is not { } epoch)
        {
            world.Coverage.Count("server: waits for its claim");
            node.After(TimeSpan.FromSeconds(0.5), Take);
            return;
        }

        _epoch = epoch;
        Renew(epoch);
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

    private void Renew(long epoch) => node.After(SimStore.ClaimExpiry / 3, () =>
    {
        if (!node.Store.Redis.IsUp || node.Store.Renew(epoch))
        {
            Renew(epoch);
        }
        else
        {
            Lose();
        }
    });
}
