using Mesh.Protocol;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Adoption;

/// <summary>
/// Decides when this server adopts the unsettled tasks and dead letters of a peer that stays dead, and when it gives them back. They stay in that server's part
/// of the store, under its claim: who has the claim serves them, so that they are never served by two, and a server that comes back finds what has become of them.
/// </summary>
internal sealed class AdoptionCoordinator(CoreState core, TaskAdmission admission)
{
    /// <summary>After a try that found nothing to adopt, or somebody else, the next one.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(10);

    private readonly Dictionary<ServerId, DateTimeOffset> _notBefore = [];
    private readonly HashSet<ServerId> _inFlight = [];

    public DateTimeOffset? NextDeadline
    {
        get
        {
            DateTimeOffset? next = null;
            foreach (var peer in core.Peers.All)
            {
                next = DueAt(peer) is { } due && !(next < due) ? due : next;
            }

            return next;
        }
    }

    public void OnTimer(DateTimeOffset now)
    {
        foreach (var peer in core.Peers.All)
        {
            if (DueAt(peer) <= now)
            {
                _inFlight.Add(peer.Id);
                core.Effects.AdoptionRequests.Add(peer.Id);
            }
        }
    }

    /// <summary>This server has the claim, and this is what is stored.</summary>
    public void OnAdopted(ServerId server, StoredState stored, DateTimeOffset now)
    {
        _inFlight.Remove(server);
        core.Adoptions[server] = new AdoptedServer(server, now);
        core.Report(new ServerAdopted(server, stored.Tasks.Count, stored.Dead));
        admission.AddStoredTasks(stored.Tasks, now);
    }

    /// <summary>There is nothing to adopt, or somebody else has the claim, or the store is away.</summary>
    public void OnRefused(ServerId server, DateTimeOffset now)
    {
        _inFlight.Remove(server);
        _notBefore[server] = now + RetryDelay;
    }

    /// <summary>The server is back, or another has its claim: what is still here of it is not ours to serve any more.</summary>
    public void OnAdoptionEnded(ServerId server, DateTimeOffset now)
    {
        _notBefore[server] = now + RetryDelay;
        core.Effects.LeaseReleases.Add(server);
        if (core.Adoptions.Remove(server, out var adoption))
        {
            core.Report(new AdoptionEnded(server, adoption.Done, admission.RemoveAdoptedTasks(server, now)));
        }
    }

    private DateTimeOffset? DueAt(PeerEntry peer)
    {
        if (core.Settings.Adoption is not { After: { Ticks: > 0 } after } || core.Stopping || peer.Alive || core.Adoptions.ContainsKey(peer.Id) || _inFlight.Contains(peer.Id))
        {
            return null;
        }

        var due = peer.DeadSince + after;
        return _notBefore.TryGetValue(peer.Id, out var notBefore) && notBefore > due ? notBefore : due;
    }
}

/// <summary>A server whose tasks this one serves.</summary>
internal sealed class AdoptedServer(ServerId server, DateTimeOffset since)
{
    public ServerId Server { get; } = server;

    public DateTimeOffset Since { get; } = since;

    /// <summary>Its tasks that were done here.</summary>
    public long Done { get; set; }
}
