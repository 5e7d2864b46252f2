using Mesh.Protocol;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core;

/// <param name="Task">The task that a new_task hands out.</param>
internal readonly record struct SendEffect(SessionId Session, MeshMessage Message, TaskEntry? Task = null);

/// <summary>An attempt ended, or a task.</summary>
/// <param name="State">Queued for an attempt that is followed by another.</param>
/// <param name="Since">When its status came, or the lease ran out.</param>
/// <param name="TraceParent">W3C context of the worker's attempt, where it tells.</param>
/// <param name="IsReturned">True for what does not count as an attempt: the worker handed the task back, or was never reached with it.</param>
internal readonly record struct TaskEnd(TaskEntry Task, TaskState State, DateTimeOffset Since, string? TraceParent, string? Error, bool IsReturned = false);

/// <param name="ExpectsReply">True when a reply is awaited: its coming, its failure to come or the failure to send is an input.</param>
/// <param name="Links">W3C contexts of the traces that this is a consequence of.</param>
/// <param name="ReportOnSend">What happens with it: told as it goes out, in the trace that it begins.</param>
internal readonly record struct PeerSendEffect(
    ServerId Peer, MeshMessage Message, bool ExpectsReply, IReadOnlyList<string>? Links = null, MeshEvent? ReportOnSend = null);

/// <summary>What the core wants done, gathered over one or more inputs; the loop empties it. Order within a list is kept.</summary>
internal sealed class Effects
{
    /// <summary>Messages to sessions.</summary>
    public List<SendEffect> Sends { get; } = [];

    /// <summary>Messages to peers, over this server's own links.</summary>
    public List<PeerSendEffect> PeerSends { get; } = [];

    /// <summary>UPDATE tasks about to be buried: void them in the ledger, then <see cref="ServerCore.OnInvalidated"/>.</summary>
    public List<TaskRecord> Invalidations { get; } = [];

    /// <summary>Dead peers: take their claims, then <see cref="ServerCore.OnAdopted"/> or <see cref="ServerCore.OnAdoptionRefused"/>.</summary>
    public List<ServerId> AdoptionRequests { get; } = [];

    /// <summary>Claims of adopted servers that are not needed any more.</summary>
    public List<ServerId> LeaseReleases { get; } = [];

    /// <summary>Attempts and tasks that ended, for metrics and traces.</summary>
    public List<TaskEnd> TaskEnds { get; } = [];

    /// <summary>Submissions to answer.</summary>
    public List<(Submission Submission, SubmitOutcome Outcome)> SubmissionResults { get; } = [];

    /// <summary>What happened, for logs, metrics and traces.</summary>
    public List<MeshEvent> Events { get; } = [];

    public void Clear()
    {
        Sends.Clear();
        PeerSends.Clear();
        Invalidations.Clear();
        AdoptionRequests.Clear();
        LeaseReleases.Clear();
        TaskEnds.Clear();
        SubmissionResults.Clear();
        Events.Clear();
    }
}
