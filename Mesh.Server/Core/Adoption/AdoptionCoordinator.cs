using Mesh.Protocol;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core.Adoption;

/// <summary>
/// Decides when this server adopts the unsettled tasks and dead letters of a peer that stays dead, and when the adoption ends. The tasks stay in that peer's part
/// of the store. Only the server that holds the peer's server lease processes them, so two servers never process the same task. The peer finds the results in
/// its own part of the store when it starts again.
/// </summary>
internal sealed class AdoptionCoordinator(CoreState core, TaskAdmission admission, ScheduleCoordinator schedules)
{
    /// <summary>The delay after an attempt that found nothing to adopt, or that found the server lease taken.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(10);

    private readonly Dictionary<ServerId, DateTimeOffset> _notBefore = [];
    private readonly HashSet<ServerId> _inFlight = [];

    /// <summary>The time at which <see cref="OnTimer"/> must be called next, or null when no adoption is pending.</summary>
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

    /// <summary>Handles a successful adoption: this server holds the peer's server lease, and takes over its stored tasks.</summary>
    public void OnAdopted(ServerId server, StoredState stored, DateTimeOffset now)
    {
        _inFlight.Remove(server);
        core.Adoptions[server] = new AdoptedServer(server, now);
        core.Report(new ServerAdopted(server, stored.Tasks.Count, stored.Dead));
        core.Tasks.ContinueSequenceAfter(stored.LastDeadSequence);
        admission.AddStoredTasks(stored.Tasks, now);
        schedules.Restore(stored.Schedules, now);
    }

    /// <summary>
    /// Handles an adoption that failed: there is nothing to adopt, another server holds the server lease, or the store is unavailable. It is tried again after
    /// <see cref="RetryDelay"/>.
    /// </summary>
    public void OnRefused(ServerId server, DateTimeOffset now)
    {
        _inFlight.Remove(server);
        RetryLater(server, now);
    }

    /// <summary>Forgets a server that is no longer a peer. An adoption that has begun goes on.</summary>
    public void Forget(ServerId server) => _notBefore.Remove(server);

    /// <summary>Ends an adoption when the peer is back, or when another server holds its server lease. The peer's tasks are removed from this server's memory.</summary>
    public void OnAdoptionEnded(ServerId server, DateTimeOffset now)
    {
        RetryLater(server, now);
        core.Effects.LeaseReleases.Add(server);
        if (core.Adoptions.Remove(server, out var adoption))
        {
            schedules.RemoveAdopted(server);
            core.Report(new AdoptionEnded(server, adoption.Done, admission.RemoveAdoptedTasks(server, now)));
        }
    }

    private void RetryLater(ServerId server, DateTimeOffset now)
    {
        if (core.Peers.Find(server) is not null)
        {
            _notBefore[server] = now + RetryDelay;
        }
    }

    private DateTimeOffset? DueAt(PeerEntry peer)
    {
        if (core.Settings.Adoption is not { After: { Ticks: > 0 } after } || core.Stopping || peer.Alive || peer.IsLeaving || core.Adoptions.ContainsKey(peer.Id) || _inFlight.Contains(peer.Id))
        {
            return null;
        }

        var due = peer.DeadSince + after;
        return _notBefore.TryGetValue(peer.Id, out var notBefore) && notBefore > due ? notBefore : due;
    }
}

/// <summary>A dead server whose tasks this server has adopted.</summary>
internal sealed class AdoptedServer(ServerId server, DateTimeOffset since)
{
    public ServerId Server { get; } = server;

    public DateTimeOffset Since { get; } = since;

    /// <summary>The number of its tasks that were done by this server's workers.</summary>
    public long Done { get; set; }
}
