using Mesh.Protocol;

namespace Mesh.Server.Core.Workers;

/// <summary>A get_task that is held.</summary>
internal sealed class PendingPoll
{
    public PendingPoll(WorkerEntry worker, SessionId session, Framing framing, DateTimeOffset deadline, long order)
    {
        (Worker, Session, Framing, Deadline, Order) = (worker, session, framing, deadline, order);
        DeadlineNode = new LinkedListNode<PendingPoll>(this);
        ReadyNode = new LinkedListNode<PendingPoll>(this);
    }

    public WorkerEntry Worker { get; }

    public SessionId Session { get; }

    public Framing Framing { get; }

    public DateTimeOffset Deadline { get; }

    public long Order { get; }

    public LinkedListNode<PendingPoll> DeadlineNode { get; }

    public LinkedListNode<PendingPoll> ReadyNode { get; }
}
