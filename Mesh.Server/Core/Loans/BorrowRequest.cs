using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Borrower: one peer after the other is asked until the need is met.</summary>
internal sealed class BorrowRequest(int needed, IReadOnlyList<ServerId> peers)
{
    private int _next;

    public int Needed { get; set; } = needed;

    public PeerEntry? CurrentPeer { get; set; }

    public DateTimeOffset SentAt { get; set; }

    public ServerId? NextPeer() => _next < peers.Count ? peers[_next++] : null;
}
