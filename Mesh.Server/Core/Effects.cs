using Mesh.Protocol;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core;

/// <summary>A message to send on a session.</summary>
/// <param name="Task">The dispatched task when the message is a new_task, else null.</param>
internal readonly record struct SendEffect(SessionId Session, MeshMessage Message, TaskEntry? Task = null);

/// <summary>The end of an attempt or of a task.</summary>
/// <param name="State">The state of the task afterwards: Queued when another attempt follows.</param>
/// <param name="Since">The time when the status arrived or the task lease expired.</param>
/// <param name="TraceParent">The W3C trace context of the worker's attempt, or null if the worker did not send one.</param>
/// <param name="IsReturned">True when the attempt is not counted: the worker handed the task back, or the task did not reach the worker.</param>
internal readonly record struct TaskEnd(TaskEntry Task, TaskState State, DateTimeOffset Since, string? TraceParent, string? Error, bool IsReturned = false);

/// <summary>A message to send to a peer.</summary>
/// <param name="ExpectsReply">
/// True when the peer replies to the message. The shell then calls <see cref="ServerCore.OnPeerReply"/>, or <see cref="ServerCore.OnPeerFailed"/> if sending fails or no reply arrives in time.
/// </param>
/// <param name="Links">The W3C trace contexts that the span of this message links to.</param>
/// <param name="ReportOnSend">An event that the shell reports when it sends the message, inside the trace that the message starts.</param>
internal readonly record struct PeerSendEffect(
    ServerId Peer, MeshMessage Message, bool ExpectsReply, IReadOnlyList<string>? Links = null, MeshEvent? ReportOnSend = null);

/// <summary>A link to a peer to open, which replaces an open one, or to close.</summary>
/// <param name="Settings">The address of the peer. Null closes the link.</param>
/// <param name="Link">The number of the link, which the shell passes on with everything that the link reports.</param>
internal readonly record struct PeerLinkEffect(ServerId Peer, PeerSettings? Settings, PeerLinkId Link);

/// <summary>The effects of one or more inputs. The loop executes them and clears the lists. The order within a list is kept.</summary>
internal sealed class Effects
{
    /// <summary>Messages to send on sessions.</summary>
    public List<SendEffect> Sends { get; } = [];

    /// <summary>Links to peers to open and to close, before messages are sent.</summary>
    public List<PeerLinkEffect> PeerLinks { get; } = [];

    /// <summary>Messages to send to peers over this server's links.</summary>
    public List<PeerSendEffect> PeerSends { get; } = [];

    /// <summary>
    /// UPDATE tasks to invalidate in the ledger before they become dead letters. The shell then calls <see cref="ServerCore.OnInvalidated"/>, or
    /// <see cref="ServerCore.OnInvalidationFailed"/> if the ledger is unavailable.
    /// </summary>
    public List<TaskRecord> Invalidations { get; } = [];

    /// <summary>Dead peers whose server leases to acquire. The shell then calls <see cref="ServerCore.OnAdopted"/> or <see cref="ServerCore.OnAdoptionRefused"/>.</summary>
    public List<ServerId> AdoptionRequests { get; } = [];

    /// <summary>Adopted servers whose server leases to release.</summary>
    public List<ServerId> LeaseReleases { get; } = [];

    /// <summary>Ended attempts and tasks, for metrics and traces.</summary>
    public List<TaskEnd> TaskEnds { get; } = [];

    /// <summary>Submissions with the outcome to return to their clients.</summary>
    public List<(Submission Submission, SubmitOutcome Outcome)> SubmissionResults { get; } = [];

    /// <summary>Requests to cancel with the outcome to return to their clients.</summary>
    public List<(CancelRequest Request, CancelOutcome Outcome)> CancelResults { get; } = [];

    /// <summary>
    /// Starts the trace of a task that the core itself submits, and returns its W3C trace context, or null when nothing is traced. The shell sets it. Unlike the other effects it
    /// has a result, because the trace context is stored with the task.
    /// </summary>
    public Func<TaskRecord, string?> StartTrace { get; init; } = static _ => null;

    /// <summary>Events for logs, metrics and traces.</summary>
    public List<MeshEvent> Events { get; } = [];

    public void Clear()
    {
        Sends.Clear();
        PeerLinks.Clear();
        PeerSends.Clear();
        Invalidations.Clear();
        AdoptionRequests.Clear();
        LeaseReleases.Clear();
        TaskEnds.Clear();
        SubmissionResults.Clear();
        CancelResults.Clear();
        Events.Clear();
    }
}
