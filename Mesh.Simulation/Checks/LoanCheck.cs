using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Checks which workers an owner lends, and that a borrower does not request workers from an owner just after it has released some to it.</summary>
internal sealed class LoanCheck(SimWorld world)
{
    /// <summary>The types of the requests that were not answered with AVAILABLE, by owner and session.</summary>
    private readonly Dictionary<(ServerNode Owner, SessionId Session), TaskTypeSet?> _requests = [];

    /// <summary>The last release to each owner. A new process of a borrower does not know the releases of the one before, so the key is its core.</summary>
    private readonly Dictionary<(ServerCore Borrower, ServerId Owner), DateTimeOffset> _released = [];

    /// <summary>False when the pause between a release and a request is not checked, because the number of loans is.</summary>
    public bool ChecksPause { get; set; } = true;

    /// <summary>The times at which each owner has lent a worker.</summary>
    public Dictionary<ServerNode, List<TimeSpan>> Offers { get; } = [];

    public void OnStateChanged(ServerNode server, LoanRecord loan)
    {
        if (loan is { Role: LoanRole.Owner, State: LoanState.Offered })
        {
            CheckTypeMinimum(server, loan.Worker);
            if (!Offers.TryGetValue(server, out var times))
            {
                Offers.Add(server, times = []);
            }

            times.Add(world.Scheduler.Now);
        }
        else if (loan is { Role: LoanRole.Borrower, State: LoanState.Releasing })
        {
            _released[(server.Core!, loan.Peer)] = server.Now;
            if (server.Core!.GetStatus().Peers.FirstOrDefault(peer => peer.Id == loan.Peer) is { Load: { } load }
                && load.Queue > server.Settings.Balancing.MaxQueueThreshold && load.Queue > server.Core.QueueDepth)
            {
                world.Coverage.Count("loan: released to an owner with a longer queue");
            }
        }
    }

    /// <summary>Called when a core decides to send a message to a peer.</summary>
    public void OnPeerSend(ServerNode server, PeerSendEffect send)
    {
        if (send.Message is not WorkerRequest request)
        {
            return;
        }

        world.Coverage.Count(request.Tasks!.Count < WorkloadTypes.All.Count ? "loan: requested for some types" : "loan: requested for all types");
        if (server.Core!.QueueDepth <= server.Settings.Balancing.MaxQueueThreshold)
        {
            world.Coverage.Count("loan: requested for a type that no worker handles");
        }

        // A release and a request of the same step can have either order.
        if (ChecksPause && _released.TryGetValue((server.Core, send.Peer), out var released) && released < server.Now && server.Now - released < server.Settings.Balancing.ReleaseAfter)
        {
            throw new InvariantViolation(Invariant.LoansPaced, $"{server.Name} requests workers from {send.Peer}, {(server.Now - released).TotalSeconds:0.000} s after it has released some");
        }
    }

    /// <summary>Called when an owner receives a request, before it handles it.</summary>
    public void OnRequest(ServerNode owner, SessionId session, WorkerRequest request) => _requests[(owner, session)] = request.Tasks;

    public void OnAvailable(ServerNode owner, SessionId session, Available available)
    {
        if (!_requests.Remove((owner, session), out var types) || types is null)
        {
            return;
        }

        foreach (var worker in available.Workers)
        {
            if (!types.Overlaps(world.TypesOf(worker)))
            {
                throw new InvariantViolation(Invariant.LentForItsTypes, $"{owner.Name} lends {worker}, which handles {world.TypesOf(worker)}, for {types}");
            }
        }
    }

    /// <summary>Forgets the requests of a process that has ended.</summary>
    public void OnRestart(ServerNode owner)
    {
        foreach (var key in _requests.Keys.Where(key => key.Owner == owner).ToList())
        {
            _requests.Remove(key);
        }
    }

    private void CheckTypeMinimum(ServerNode server, WorkerId lent)
    {
        var status = server.Core!.GetStatus();
        foreach (var type in world.TypesOf(lent))
        {
            var left = status.Workers.Count(worker => worker.Home == status.Id && worker.State is WorkerState.Idle or WorkerState.Busy
                && worker.Home == status.Id && world.TypesOf(worker.Id).Contains(type));
            if (left < server.Settings.Balancing.MinWorkersBeforeSharing)
            {
                throw new InvariantViolation(Invariant.TypeMinimumKept, $"{server.Name} lends {lent} and keeps {left} workers for {type}");
            }
        }
    }
}
