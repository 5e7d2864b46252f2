namespace Mesh.Worker.Core;

/// <summary>The worker is about to leave the server it is at: it asks for nothing more, ends what it has, and goes.</summary>
/// <param name="Next">Where to; null is the end.</param>
/// <param name="CancelAt">Until then running tasks may end by themselves.</param>
/// <param name="LeaveAt">Then it goes whatever is left.</param>
/// <param name="Reason">The ERROR of tasks handed back.</param>
/// <param name="TraceParent">W3C context of the order.</param>
/// <param name="IsServerUnreachable">Nothing can be delivered there any more.</param>
internal sealed record Drain(ServerTarget? Next, TimeSpan CancelAt, TimeSpan LeaveAt, string Reason, string? TraceParent = null, bool IsServerUnreachable = false);
