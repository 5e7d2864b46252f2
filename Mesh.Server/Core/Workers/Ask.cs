using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>A get_task that is held.</summary>
internal sealed class Ask
{
    public Ask(WorkerEntry worker, SessionId session, Framing framing, DateTimeOffset deadline, bool parked, long order)
    {
        (Worker, Session, Framing, Deadline, Parked, Order) = (worker, session, framing, deadline, parked, order);
        HoldNode = new LinkedListNode<Ask>(this);
        ReadyNode = new LinkedListNode<Ask>(this);
    }

    public WorkerEntry Worker { get; }

    public SessionId Session { get; }

    public Framing Framing { get; }

    public DateTimeOffset Deadline { get; }

    /// <summary>True while it may get no task, only an order or NO_TASK.</summary>
    public bool Parked { get; set; }

    public long Order { get; }

    public LinkedListNode<Ask> HoldNode { get; }

    public LinkedListNode<Ask> ReadyNode { get; }
}
