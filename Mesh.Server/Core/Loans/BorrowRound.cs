using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Borrower: one peer after the other is asked until the need is met.</summary>
internal sealed class BorrowRound(int needed, IReadOnlyList<ServerId> peers)
{
    private int _next;

    public int Needed { get; set; } = needed;

    public PeerEntry? Asked { get; set; }

    public DateTimeOffset AskedAt { get; set; }

    public ServerId? TakeNext() => _next < peers.Count ? peers[_next++] : null;
}
