using Mesh.Server.Core.Adoption;
using Mesh.Server.Core.Loans;

namespace Mesh.Server.Core.Peers;

/// <summary>Adds, changes and removes peers, and requests the links to them (docs/protocol.md, "Peers that come and go").</summary>
internal sealed class PeerMembership(
    CoreState core, PeerHeartbeatMonitor heartbeats, Lender lender, Borrower borrower, LoanRequester loanRequester, PeerMessageRouter router, AdoptionCoordinator adoptions)
{
    private long _lastLink;
    private int _leaving;

    /// <summary>Adds the peers of a server that starts.</summary>
    public void Start(IReadOnlyList<PeerSettings> peers, DateTimeOffset now)
    {
        foreach (var peer in peers)
        {
            Add(peer, now);
        }
    }

    /// <summary>Replaces the set of peers.</summary>
    public void Replace(IReadOnlyList<PeerSettings> peers, DateTimeOffset now)
    {
        var wanted = peers.Select(peer => peer.Id).ToHashSet();
        foreach (var peer in core.Peers.All.Where(peer => !wanted.Contains(peer.Id) && !peer.IsLeaving))
        {
            peer.IsLeaving = true;
            _leaving++;
            core.Report(new PeerLeaving(peer.Id, core.Loans.All.Count(loan => loan.Peer == peer.Id)));
        }

        foreach (var settings in peers)
        {
            if (core.Peers.Find(settings.Id) is { } peer)
            {
                Keep(peer, settings, now);
            }
            else
            {
                Add(settings, now);
                core.Report(new PeerConfigured(settings.Id, settings.Endpoint));
            }
        }

        borrower.CheckLoans(now);
        borrower.OnTimer(now);
        heartbeats.OnTimer(now);
    }

    /// <summary>Forgets the leaving peers without loans and unanswered requests, and closes the links to them.</summary>
    public void RemoveUnused(DateTimeOffset now)
    {
        if (_leaving == 0)
        {
            return;
        }

        foreach (var peer in core.Peers.All.Where(peer => peer.IsLeaving && !IsInUse(peer, now)).ToArray())
        {
            _leaving--;
            core.Peers.Remove(peer);
            adoptions.Forget(peer.Id);
            core.Effects.PeerLinks.Add(new PeerLinkEffect(peer.Id, null, peer.Link));
            core.Report(new PeerRemoved(peer.Id));
        }
    }

    private void Add(PeerSettings settings, DateTimeOffset now)
    {
        var peer = new PeerEntry(settings, NextLink());
        core.Peers.Add(peer);
        core.Effects.PeerLinks.Add(new PeerLinkEffect(peer.Id, settings, peer.Link));
        heartbeats.Add(peer, now);
    }

    /// <summary>Applies the configuration of a peer that is known. When its address was changed, its loans continue, and the requests over the old link have no answer.</summary>
    private void Keep(PeerEntry peer, PeerSettings settings, DateTimeOffset now)
    {
        if (peer.IsLeaving)
        {
            peer.IsLeaving = false;
            _leaving--;
            core.Report(new PeerConfigured(peer.Id, settings.Endpoint));
        }

        if (settings == peer.Settings)
        {
            return;
        }

        peer.Move(settings, NextLink());
        core.Effects.PeerLinks.Add(new PeerLinkEffect(peer.Id, settings, peer.Link));
        core.Report(new PeerConfigured(peer.Id, settings.Endpoint));
        router.OnLinkReplaced(peer, now);
        heartbeats.OnMoved(peer, now);
    }

    // A peer that is added again at once must not be asked for workers before its pause ends, so the entry with the pause is kept until then.
    private bool IsInUse(PeerEntry peer, DateTimeOffset now) =>
        peer.NextRequestAt > now || loanRequester.IsWaitingFor(peer) || borrower.IsReleasingTo(peer.Id) || lender.IsWaitingFor(peer.Id)
        || core.Loans.All.Any(loan => loan.Peer == peer.Id);

    private PeerLinkId NextLink() => new(++_lastLink);
}
