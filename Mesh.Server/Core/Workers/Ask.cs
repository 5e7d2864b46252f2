using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>A get_task that is held.</summary>
internal sealed class Ask
{
    public Ask(WorkerEntry worker, SessionId session, Framing framing, DateTimeOffset deadline, long order)
    {
        (Worker, Session, Framing, Deadline, Order) = (worker, session, framing, deadline, order);
        HoldNode = new LinkedListNode<Ask>(this);
        ReadyNode = new LinkedListNode<Ask>(this);
    }

    public WorkerEntry Worker { get; }

    public SessionId Session { get; }

    public Framing Framing { get; }

    public DateTimeOffset Deadline { get; }

    public long Order { get; }

    public LinkedListNode<Ask> HoldNode { get; }

    public LinkedListNode<Ask> ReadyNode { get; }
}
