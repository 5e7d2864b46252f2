using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core;

/// <summary>Something worth telling: the shell turns it into log lines, metrics and spans. A closed set.</summary>
internal abstract record MeshEvent
{
    private protected MeshEvent()
    {
    }
}

/// <summary>A worker of this server is here. What a borrowed or a lent one does, its loan's steps tell.</summary>
internal sealed record WorkerJoined(WorkerId Worker, ServerId Home, Framing Framing) : MeshEvent;

internal sealed record WorkerLeft(WorkerId Worker, ServerId Home) : MeshEvent;

/// <summary>A worker failed at a task that another one then did: it gets tasks one at a time, the next after a pause.</summary>
/// <param name="Strikes">How often this has happened since its last success.</param>
internal sealed record WorkerPaused(WorkerId Worker, int Strikes, TimeSpan Pause) : MeshEvent;

/// <summary>A worker has failed again and again where others succeeded. A guest is given back to its owner.</summary>
internal sealed record WorkerSetAside(WorkerId Worker, ServerId Home, int Strikes) : MeshEvent;

/// <summary>A worker that was set aside gets tasks as before.</summary>
internal sealed record WorkerReinstated(WorkerId Worker, ServerId Home, string Reason) : MeshEvent;

internal sealed record PeerUp(ServerId Peer) : MeshEvent;

internal sealed record PeerDown(ServerId Peer, string Reason) : MeshEvent;

/// <summary>What answers at a peer's address gives another name than the peer is configured with; it is taken for that peer.</summary>
internal sealed record PeerRenamed(ServerId Peer, MeshEndpoint Endpoint, ServerId Name) : MeshEvent;

/// <summary>A server speaks that is no peer by this name. Told once for each name.</summary>
internal sealed record UnknownServerDetected(ServerId Server) : MeshEvent;

/// <summary>Borrower: the queue passed the high mark, a peer is asked.</summary>
internal sealed record WorkersRequested(ServerId Owner, int Needed, int Queue) : MeshEvent;

/// <param name="TraceParent">W3C context of the request.</param>
internal sealed record WorkersRefused(ServerId Owner, string? TraceParent) : MeshEvent;

/// <summary>One worker's loan entered a state.</summary>
/// <param name="Since">When it entered the state before.</param>
/// <param name="TraceParent">W3C context of the message that caused it, where it tells.</param>
internal sealed record LoanStateChanged(LoanRecord Loan, DateTimeOffset Since, string? TraceParent) : MeshEvent;

/// <param name="Loan">The loan in its last state.</param>
/// <param name="Reason">Why it ended, in a few words.</param>
/// <param name="At">When.</param>
/// <param name="TraceParent">W3C context of the message that caused it, where it tells.</param>
internal sealed record LoanEnded(LoanRecord Loan, string Reason, DateTimeOffset At, string? TraceParent) : MeshEvent;

/// <summary>Owner: a lent worker asked at home again at once. It is not lent for a while.</summary>
/// <param name="Count">How often this has happened.</param>
internal sealed record RedirectIgnored(WorkerId Worker, ServerId Borrower, int Count, TimeSpan Pause) : MeshEvent;

/// <summary>Borrower: a borrowed worker has its first task.</summary>
internal sealed record LoanFirstTaskDispatched(LoanRecord Loan, TaskEntry Task) : MeshEvent;

/// <summary>Borrower: an operator wants all borrowed workers returned.</summary>
internal sealed record LoansReturnRequested : MeshEvent;

/// <summary>Owner: RELEASE_COMPLETED goes out.</summary>
/// <param name="TraceParent">W3C context of the release.</param>
internal sealed record ReleaseCompletedSent(ServerId Borrower, WorkerList Workers, string? TraceParent) : MeshEvent;

/// <summary>Borrower: COMMAND_RELEASE goes out, for the nth time.</summary>
internal sealed record ReleaseSent(ServerId Owner, WorkerList Workers, int Try) : MeshEvent;

/// <summary>An operator has paused this server: it takes no new tasks.</summary>
/// <param name="Queue">Tasks that wait.</param>
/// <param name="Running">Tasks that run.</param>
internal sealed record ServerPaused(int Queue, int Running) : MeshEvent;

/// <summary>An operator has resumed this server: it takes new tasks again.</summary>
internal sealed record ServerResumed : MeshEvent;

/// <summary>This server serves the unsettled tasks and dead letters of another from here on.</summary>
internal sealed record ServerAdopted(ServerId Server, int Tasks, long Dead) : MeshEvent;

/// <summary>An adopted server, or another adopter, has them again.</summary>
/// <param name="Done">Its tasks that were done here.</param>
/// <param name="Left">Its tasks that were still here.</param>
internal sealed record AdoptionEnded(ServerId Server, long Done, int Left) : MeshEvent;

/// <summary>The store had lost the last of what it had acknowledged.</summary>
/// <param name="Written">Unsettled tasks that only this server knew, and writes again.</param>
/// <param name="Reloaded">Tasks whose end was lost, and that are run again.</param>
internal sealed record StoreRolledBack(int Written, int Reloaded) : MeshEvent;

/// <summary>The connections of a worker take turns in replacing one another: two workers share its id, it seems.</summary>
internal sealed record DuplicateWorkerIdDetected(WorkerId Worker) : MeshEvent;

/// <param name="Attempts">Attempts so far.</param>
internal sealed record TaskRequeued(TaskRecord Task, int Attempts, string Reason) : MeshEvent;

/// <summary>A worker handed a task back, or was never reached with it: that was no attempt.</summary>
internal sealed record TaskReturned(TaskRecord Task, string Reason) : MeshEvent;

internal sealed record TaskDeadLettered(TaskRecord Task) : MeshEvent;

/// <summary>A peer or worker sent what makes no sense here; the answer names the field.</summary>
internal sealed record MessageRejected(SessionId Session, MeshMessage Message, string Error) : MeshEvent;
