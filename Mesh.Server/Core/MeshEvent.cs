using Mesh.Protocol;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Schedules;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core;

/// <summary>Base type of all events that the core reports. The shell writes log lines, metrics and spans from them.</summary>
internal abstract record MeshEvent
{
    private protected MeshEvent()
    {
    }
}

/// <summary>A worker of this server connected. Borrowed and returning workers are reported with <see cref="LoanStateChanged"/> instead.</summary>
internal sealed record WorkerJoined(WorkerId Worker, ServerId Home, Framing Framing) : MeshEvent;

/// <summary>A worker of this server was removed because it disconnected or sent nothing for too long. Workers on loan are not reported.</summary>
internal sealed record WorkerLeft(WorkerId Worker, ServerId Home) : MeshEvent;

/// <summary>A worker failed at a task that another worker then completed. It receives one task at a time, and the next one after a pause.</summary>
/// <param name="Strikes">The number of such failures since its last success.</param>
internal sealed record WorkerPaused(WorkerId Worker, int Strikes, TimeSpan Pause) : MeshEvent;

/// <summary>A worker reached the configured number of strikes and is set aside. A borrowed worker is returned to its owner.</summary>
internal sealed record WorkerSetAside(WorkerId Worker, ServerId Home, int Strikes) : MeshEvent;

/// <summary>A worker that was set aside receives tasks without limits again.</summary>
internal sealed record WorkerReinstated(WorkerId Worker, ServerId Home, string Reason) : MeshEvent;

/// <summary>A peer became alive or dead.</summary>
/// <param name="Reason">The reason why the peer became dead, or null when it became alive.</param>
internal sealed record PeerAvailabilityChanged(ServerId Peer, bool IsAlive, string? Reason = null) : MeshEvent;

/// <summary>A peer was added while the server runs, or its address was changed.</summary>
internal sealed record PeerConfigured(ServerId Peer, MeshEndpoint Endpoint) : MeshEvent;

/// <summary>A server is no longer a configured peer. It is forgotten when its loans have ended.</summary>
/// <param name="Loans">The number of loans with it.</param>
internal sealed record PeerLeaving(ServerId Peer, int Loans) : MeshEvent;

/// <summary>A server that is no longer a configured peer was forgotten, and its link was closed.</summary>
internal sealed record PeerRemoved(ServerId Peer) : MeshEvent;

/// <summary>The server at a peer's address uses a different SERVER_UUID than the configured one. This server treats it as that peer.</summary>
internal sealed record PeerRenamed(ServerId Peer, MeshEndpoint Endpoint, ServerId Name) : MeshEvent;

/// <summary>A server that is not a configured peer sent a message. Reported once for each SERVER_UUID.</summary>
internal sealed record UnknownServerDetected(ServerId Server) : MeshEvent;

/// <summary>Borrower: the queue is above the high mark, or no worker here handles some types of it, and a WORKER_REQUEST was sent to a peer.</summary>
/// <param name="Types">The requested types.</param>
internal sealed record WorkersRequested(ServerId Owner, int Needed, int Queue, TaskTypeSet Types) : MeshEvent;

/// <summary>Borrower: a peer answered UNAVAILABLE.</summary>
/// <param name="TraceParent">The W3C trace context of the request.</param>
internal sealed record WorkersRefused(ServerId Owner, string? TraceParent) : MeshEvent;

/// <summary>The loan of one worker entered a new state.</summary>
/// <param name="Since">The time when it entered the previous state.</param>
/// <param name="TraceParent">The W3C trace context of the message that caused the change, or null if it has none.</param>
internal sealed record LoanStateChanged(LoanRecord Loan, DateTimeOffset Since, string? TraceParent) : MeshEvent;

/// <summary>The loan of one worker ended.</summary>
/// <param name="Loan">The loan in its last state.</param>
/// <param name="Reason">A short description of the cause.</param>
/// <param name="At">The time of the end.</param>
/// <param name="TraceParent">The W3C trace context of the message that caused the end, or null if it has none.</param>
internal sealed record LoanEnded(LoanRecord Loan, string Reason, DateTimeOffset At, string? TraceParent) : MeshEvent;

/// <summary>Owner: a worker sent a get_task to this server shortly after its REDIRECT. It is not lent again during the pause.</summary>
/// <param name="Count">The number of times that this worker ignored a REDIRECT.</param>
internal sealed record RedirectIgnored(WorkerId Worker, ServerId Borrower, int Count, TimeSpan Pause) : MeshEvent;

/// <summary>Borrower: a borrowed worker was given its first task.</summary>
internal sealed record LoanFirstTaskDispatched(LoanRecord Loan, TaskEntry Task) : MeshEvent;

/// <summary>Borrower: an operator requested the return of all borrowed workers.</summary>
internal sealed record LoansReturnRequested : MeshEvent;

/// <summary>Owner: RELEASE_COMPLETED was sent.</summary>
/// <param name="TraceParent">The W3C trace context of the release.</param>
internal sealed record ReleaseCompletedSent(ServerId Borrower, WorkerList Workers, string? TraceParent) : MeshEvent;

/// <summary>Borrower: COMMAND_RELEASE was sent.</summary>
/// <param name="Try">The number of this attempt, from 1.</param>
internal sealed record ReleaseSent(ServerId Owner, WorkerList Workers, int Try) : MeshEvent;

/// <summary>An operator paused or resumed this server. A paused server accepts no new tasks.</summary>
internal sealed record ServerPauseChanged(PauseStatus Status) : MeshEvent;

/// <summary>This server adopted the unsettled tasks and dead letters of another server.</summary>
internal sealed record ServerAdopted(ServerId Server, int Tasks, long Dead) : MeshEvent;

/// <summary>An adoption ended: the adopted server is back, or another server adopted it.</summary>
/// <param name="Done">The number of its tasks that this server completed.</param>
/// <param name="Left">The number of its tasks that were still unsettled.</param>
internal sealed record AdoptionEnded(ServerId Server, long Done, int Left) : MeshEvent;

/// <summary>The store lost its latest acknowledged writes.</summary>
/// <param name="Written">The number of unsettled tasks that the store lost. This server writes them again.</param>
/// <param name="Reloaded">The number of tasks whose settlement the store lost. They run again.</param>
internal sealed record StoreRolledBack(int Written, int Reloaded) : MeshEvent;

/// <summary>Connections with the same WORKER_UUID replaced each other several times. Two workers probably use the same id.</summary>
internal sealed record DuplicateWorkerIdDetected(WorkerId Worker) : MeshEvent;

/// <summary>An attempt ended without a result, and the task was queued again.</summary>
/// <param name="Attempts">The number of counted attempts so far.</param>
/// <param name="IsCounted">True when the attempt failed. False when the worker handed the task back, or the task did not reach the worker.</param>
internal sealed record TaskRequeued(TaskRecord Task, int Attempts, string Reason, bool IsCounted) : MeshEvent;

/// <summary>A task became a dead letter.</summary>
internal sealed record TaskDeadLettered(TaskRecord Task) : MeshEvent;

/// <summary>A client cancelled a running task.</summary>
internal sealed record TaskCancelRequested(TaskRecord Task, WorkerId? Worker) : MeshEvent;

/// <summary>A task was settled as cancelled.</summary>
internal sealed record TaskCancelled(TaskRecord Task) : MeshEvent;

/// <summary>A queued task was assigned to the worker that still ran it.</summary>
internal sealed record TaskResumed(TaskRecord Task, WorkerId Worker) : MeshEvent;

/// <summary>A task is done, and a task that its result submits was not accepted.</summary>
internal sealed record FollowUpRefused(TaskRecord Parent, string Error) : MeshEvent;

/// <summary>A valid message from a peer or worker was refused. The error starts with the name of the field.</summary>
internal sealed record MessageRejected(SessionId Session, MeshMessage Message, string Error) : MeshEvent;

/// <summary>A time of a schedule has come, and its task is accepted.</summary>
/// <param name="Time">The time of the schedule, which is in the past when it was missed.</param>
/// <param name="Skipped">The number of earlier times that were missed and are skipped, at most <see cref="ScheduleTimes.MaxCounted"/>.</param>
internal sealed record ScheduleFired(string Schedule, TaskRecord Task, DateTimeOffset Time, int Skipped) : MeshEvent;
