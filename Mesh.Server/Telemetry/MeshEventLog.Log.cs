using Mesh.Protocol;

namespace Mesh.Server.Telemetry;

internal sealed partial class MeshEventLog
{
    [LoggerMessage(3001, LogLevel.Information, "{Worker} of {Home} has connected over {Framing}.")]
    private partial void LogWorkerJoined(WorkerId worker, ServerId home, Framing framing);

    [LoggerMessage(3002, LogLevel.Information, "{Worker} of {Home} has disconnected.")]
    private partial void LogWorkerLeft(WorkerId worker, ServerId home);

    [LoggerMessage(3010, LogLevel.Information, "{Worker} failed at a task that another worker then completed, {Strikes} times since its last success. It gets one task at a time, the next one in {Pause}.")]
    private partial void LogWorkerPaused(WorkerId worker, int strikes, TimeSpan pause);

    [LoggerMessage(3011, LogLevel.Warning, "{Worker} of {Home} is set aside: it failed {Strikes} times in a row at tasks that other workers then completed. It gets one task per minute until it succeeds, or has not failed for ten minutes. Check its log, and restart it.")]
    private partial void LogWorkerSetAside(WorkerId worker, ServerId home, int strikes);

    [LoggerMessage(3012, LogLevel.Warning, "{Worker} of {Home} gets tasks without a limit again: {Reason}.")]
    private partial void LogWorkerReinstated(WorkerId worker, ServerId home, string reason);

    [LoggerMessage(3013, LogLevel.Warning, "{Worker} did not follow REDIRECT to {Borrower}. This has happened {Count} times. The worker is not lent for {Pause}.")]
    private partial void LogRedirectIgnored(WorkerId worker, ServerId borrower, int count, TimeSpan pause);

    [LoggerMessage(3003, LogLevel.Information, "{Peer} is alive.")]
    private partial void LogPeerUp(ServerId peer);

    [LoggerMessage(3004, LogLevel.Warning, "{Peer} is marked dead: {Reason}.")]
    private partial void LogPeerDown(ServerId peer, string? reason);

    [LoggerMessage(3014, LogLevel.Warning, "The server at {Endpoint} uses the id {Name} instead of {Peer}. It is accepted as {Peer}. If it keeps the id {Name}, set that peer's Mesh__Peers__0__Id (with the peer's number) to it.")]
    private partial void LogPeerRenamed(MeshEndpoint endpoint, ServerId name, ServerId peer);

    [LoggerMessage(3015, LogLevel.Warning, "{Server} sends messages but is not a peer of this server. To lend workers to it and to borrow workers from it, add its id and address: Mesh__Peers__0__Id and Mesh__Peers__0__Endpoint, with the next free number.")]
    private partial void LogUnknownServer(ServerId server);

    [LoggerMessage(3016, LogLevel.Warning, "Connections of {Worker} replace one another repeatedly. Probably two workers use this id. Give each worker its own Mesh__WorkerId.")]
    private partial void LogDuplicateWorkerId(WorkerId worker);

    [LoggerMessage(3017, LogLevel.Information, "{Peer} at {Endpoint} is a peer from now on.")]
    private partial void LogPeerConfigured(ServerId peer, MeshEndpoint endpoint);

    [LoggerMessage(3018, LogLevel.Information, "{Peer} is no longer a configured peer. It has {Loans} loans, which end first.")]
    private partial void LogPeerLeaving(ServerId peer, int loans);

    [LoggerMessage(3019, LogLevel.Information, "{Peer} is removed from the peers.")]
    private partial void LogPeerRemoved(ServerId peer);

    [LoggerMessage(3101, LogLevel.Information, "{Queue} tasks are waiting. Requesting {Needed} workers from {Owner} for {Types}.")]
    private partial void LogWorkersRequested(int queue, ServerId owner, int needed, string types);

    [LoggerMessage(3102, LogLevel.Information, "{Owner} has no worker to lend.")]
    private partial void LogWorkersRefused(ServerId owner);

    [LoggerMessage(3103, LogLevel.Information, "{Worker} is offered to {Borrower}.")]
    private partial void LogOffered(WorkerId worker, ServerId borrower);

    [LoggerMessage(3104, LogLevel.Information, "{Worker} is redirected to {Borrower}.")]
    private partial void LogLent(WorkerId worker, ServerId borrower);

    [LoggerMessage(3105, LogLevel.Information, "{Borrower} has released {Worker}.")]
    private partial void LogReleased(ServerId borrower, WorkerId worker);

    [LoggerMessage(3106, LogLevel.Information, "{Worker} is expected from {Owner}.")]
    private partial void LogExpected(ServerId owner, WorkerId worker);

    [LoggerMessage(3107, LogLevel.Information, "Borrowed {Worker} of {Owner} has arrived.")]
    private partial void LogArrived(WorkerId worker, ServerId owner);

    [LoggerMessage(3108, LogLevel.Information, "{Worker} is being released to {Owner}.")]
    private partial void LogReleasing(WorkerId worker, ServerId owner);

    [LoggerMessage(3109, LogLevel.Information, "{Owner} has acknowledged the release of {Worker}.")]
    private partial void LogReturning(ServerId owner, WorkerId worker);

    [LoggerMessage(3110, LogLevel.Information, "{Worker} is returning to {Owner}.")]
    private partial void LogReturned(WorkerId worker, ServerId owner);

    [LoggerMessage(3111, LogLevel.Information, "The loan of {Worker} to {Borrower} has ended: {Reason}.")]
    private partial void LogLendingEnded(WorkerId worker, ServerId borrower, string reason);

    [LoggerMessage(3112, LogLevel.Information, "The loan of {Worker} from {Owner} has ended: {Reason}.")]
    private partial void LogBorrowingEnded(WorkerId worker, ServerId owner, string reason);

    [LoggerMessage(3113, LogLevel.Information, "Asking {Owner} to accept the return of {Workers}.")]
    private partial void LogReleaseSent(string workers, ServerId owner);

    [LoggerMessage(3114, LogLevel.Information, "Asking {Owner} again to accept the return of {Workers}, try {Try}.")]
    private partial void LogReleaseRepeated(string workers, ServerId owner, int @try);

    [LoggerMessage(3115, LogLevel.Information, "Reporting to {Borrower} that {Workers} have returned.")]
    private partial void LogReleaseCompleted(ServerId borrower, string workers);

    [LoggerMessage(3116, LogLevel.Information, "Borrowed {Worker} of {Owner} has its first task, {TaskId}.")]
    private partial void LogFirstTask(WorkerId worker, ServerId owner, string taskId);

    [LoggerMessage(3117, LogLevel.Information, "POST /loans/return: all borrowed workers are returned to their owners. No workers are borrowed for a while.")]
    private partial void LogLoansReturnRequested();

    [LoggerMessage(3005, LogLevel.Warning, "{Server} stays dead. Its {Tasks} unsettled tasks and {Dead} dead letters are adopted by this server until it is back.")]
    private partial void LogServerAdopted(ServerId server, int tasks, long dead);

    [LoggerMessage(3006, LogLevel.Warning, "The adoption of {Server} has ended. {Done} of its tasks were done here, {Left} are left for it.")]
    private partial void LogAdoptionEnded(ServerId server, long done, int left);

    [LoggerMessage(3007, LogLevel.Warning, "The store has lost recent writes that it had acknowledged. {Written} unsettled tasks are written again. The results of {Reloaded} tasks were lost; these tasks run again.")]
    private partial void LogStoreRolledBack(int written, int reloaded);

    [LoggerMessage(3008, LogLevel.Warning, "Paused: this server accepts no new tasks until POST /resume. {Queue} tasks are waiting, {Running} are running.")]
    private partial void LogPaused(int queue, int running);

    [LoggerMessage(3009, LogLevel.Warning, "Resumed: this server accepts new tasks again.")]
    private partial void LogResumed();

    [LoggerMessage(3201, LogLevel.Information, "Task {TaskId} goes back to the queue after attempt {Attempts}: {Reason}.")]
    private partial void LogTaskRequeued(string taskId, int attempts, string reason);

    [LoggerMessage(3202, LogLevel.Warning, "Task {TaskId} ({Type}) is a dead letter after {Attempts} attempts: {Error}.")]
    private partial void LogTaskDeadLettered(string taskId, TaskType type, int attempts, string? error);

    [LoggerMessage(3204, LogLevel.Information, "Task {TaskId} goes back to the queue without counting an attempt: {Reason}.")]
    private partial void LogTaskReturned(string taskId, string reason);

    [LoggerMessage(3211, LogLevel.Information, "Task {TaskId} is cancelled while {Worker} runs it. The worker is told with its next RUNNING.")]
    private partial void LogTaskCancelRequested(string taskId, WorkerId? worker);

    [LoggerMessage(3212, LogLevel.Information, "Task {TaskId} is cancelled after {Attempts} attempts.")]
    private partial void LogTaskCancelled(string taskId, int attempts);

    [LoggerMessage(3213, LogLevel.Information, "{Worker} resumes task {TaskId}, which it still runs.")]
    private partial void LogTaskResumed(WorkerId worker, string taskId);

    [LoggerMessage(3231, LogLevel.Warning, "Task {TaskId} is done, and a task that it submits with its result was not accepted: {Error}.")]
    private partial void LogFollowUpRefused(string taskId, string error);

    [LoggerMessage(3203, LogLevel.Warning, "Session {Session}: {Message} is refused: {Error}.")]
    private partial void LogMessageRejected(long session, string message, string error);

    [LoggerMessage(3401, LogLevel.Information, "Schedule {Schedule} has fired: task {TaskId} is accepted.")]
    private partial void LogScheduleFired(string schedule, string taskId);

    [LoggerMessage(3402, LogLevel.Warning, "Schedule {Schedule} has missed {Skipped} times, which are skipped. The task of {Time}, the latest missed time, is accepted.")]
    private partial void LogTimesSkipped(string schedule, int skipped, DateTimeOffset time);
}
