using Mesh.Protocol;

namespace Mesh.Server.Telemetry;

internal sealed partial class MeshEventLog
{
    [LoggerMessage(3001, LogLevel.Information, "{Worker} of {Home} is here, over {Framing}.")]
    private partial void LogWorkerJoined(WorkerId worker, ServerId home, Framing framing);

    [LoggerMessage(3002, LogLevel.Information, "{Worker} of {Home} is gone.")]
    private partial void LogWorkerLeft(WorkerId worker, ServerId home);

    [LoggerMessage(3010, LogLevel.Information, "{Worker} failed at a task that another worker then did, {Strikes} times since its last success: it gets one task at a time, the next in {Pause}.")]
    private partial void LogWorkerPaused(WorkerId worker, int strikes, TimeSpan pause);

    [LoggerMessage(3011, LogLevel.Warning, "{Worker} of {Home} is set aside: it failed {Strikes} times in a row at tasks that other workers then did. It gets one task a minute until it succeeds. Look at its log, and restart it.")]
    private partial void LogWorkerSetAside(WorkerId worker, ServerId home, int strikes);

    [LoggerMessage(3012, LogLevel.Warning, "{Worker} of {Home} gets tasks again as before: {Reason}.")]
    private partial void LogWorkerReinstated(WorkerId worker, ServerId home, string reason);

    [LoggerMessage(3013, LogLevel.Warning, "{Worker} does not follow REDIRECT to {Borrower}; that has happened {Count} times. It is not lent for {Pause}.")]
    private partial void LogRedirectIgnored(WorkerId worker, ServerId borrower, int count, TimeSpan pause);

    [LoggerMessage(3003, LogLevel.Information, "{Peer} is alive.")]
    private partial void LogPeerUp(ServerId peer);

    [LoggerMessage(3004, LogLevel.Warning, "{Peer} is taken for dead: {Reason}.")]
    private partial void LogPeerDown(ServerId peer, string reason);

    [LoggerMessage(3014, LogLevel.Warning, "The server at {Endpoint} calls itself {Name}, not {Peer}: it is taken for {Peer}. If {Name} is its name for good, set Mesh__Peers__0__Id of that peer, or whichever number it has, to it.")]
    private partial void LogPeerRenamed(MeshEndpoint endpoint, ServerId name, ServerId peer);

    [LoggerMessage(3015, LogLevel.Warning, "{Server} sends messages and is no peer of this server. To lend it workers and to borrow some, add its name and address: Mesh__Peers__0__Id and Mesh__Peers__0__Endpoint, with the next free number.")]
    private partial void LogUnknownServer(ServerId server);

    [LoggerMessage(3016, LogLevel.Warning, "Connections of {Worker} take turns in replacing one another: it seems that two workers share this id. Give each its own Mesh__WorkerId.")]
    private partial void LogDuplicateWorkerId(WorkerId worker);

    [LoggerMessage(3101, LogLevel.Information, "{Queue} tasks wait: asking {Owner} for {Needed} workers.")]
    private partial void LogWorkersRequested(int queue, ServerId owner, int needed);

    [LoggerMessage(3102, LogLevel.Information, "{Owner} has no worker to lend.")]
    private partial void LogWorkersRefused(ServerId owner);

    [LoggerMessage(3103, LogLevel.Information, "Lending {Worker} to {Borrower}: it is promised.")]
    private partial void LogOffered(WorkerId worker, ServerId borrower);

    [LoggerMessage(3104, LogLevel.Information, "Lending {Worker} to {Borrower}: it is on its way.")]
    private partial void LogLent(WorkerId worker, ServerId borrower);

    [LoggerMessage(3105, LogLevel.Information, "{Borrower} gives {Worker} back.")]
    private partial void LogReleased(ServerId borrower, WorkerId worker);

    [LoggerMessage(3106, LogLevel.Information, "Borrowing from {Owner}: {Worker} will come.")]
    private partial void LogExpected(ServerId owner, WorkerId worker);

    [LoggerMessage(3107, LogLevel.Information, "Borrowed {Worker} of {Owner} has arrived.")]
    private partial void LogArrived(WorkerId worker, ServerId owner);

    [LoggerMessage(3108, LogLevel.Information, "Giving {Worker} back to {Owner}.")]
    private partial void LogReleasing(WorkerId worker, ServerId owner);

    [LoggerMessage(3109, LogLevel.Information, "{Owner} takes {Worker} back.")]
    private partial void LogReturning(ServerId owner, WorkerId worker);

    [LoggerMessage(3110, LogLevel.Information, "{Worker} is on its way home to {Owner}.")]
    private partial void LogReturned(WorkerId worker, ServerId owner);

    [LoggerMessage(3111, LogLevel.Information, "The loan of {Worker} to {Borrower} has ended: {Reason}.")]
    private partial void LogLendingEnded(WorkerId worker, ServerId borrower, string reason);

    [LoggerMessage(3112, LogLevel.Information, "The loan of {Worker} from {Owner} has ended: {Reason}.")]
    private partial void LogBorrowingEnded(WorkerId worker, ServerId owner, string reason);

    [LoggerMessage(3113, LogLevel.Information, "Asking {Owner} to take back {Workers}.")]
    private partial void LogReleaseSent(string workers, ServerId owner);

    [LoggerMessage(3114, LogLevel.Information, "Asking {Owner} again to take back {Workers}, try {Try}.")]
    private partial void LogReleaseRepeated(string workers, ServerId owner, int @try);

    [LoggerMessage(3115, LogLevel.Information, "Telling {Borrower} that {Workers} came home.")]
    private partial void LogReleaseCompleted(ServerId borrower, string workers);

    [LoggerMessage(3116, LogLevel.Information, "Borrowed {Worker} of {Owner} has its first task, {TaskId}.")]
    private partial void LogFirstTask(WorkerId worker, ServerId owner, string taskId);

    [LoggerMessage(3117, LogLevel.Information, "POST /loans/return: all borrowed workers go back to their owners, and none are borrowed for a while.")]
    private partial void LogLoansReturnRequested();

    [LoggerMessage(3005, LogLevel.Warning, "{Server} stays dead: its {Tasks} unsettled tasks and {Dead} dead letters are served here until it is back.")]
    private partial void LogServerAdopted(ServerId server, int tasks, long dead);

    [LoggerMessage(3006, LogLevel.Warning, "{Server} is served elsewhere again. {Done} of its tasks were done here, {Left} go back to it.")]
    private partial void LogAdoptionEnded(ServerId server, long done, int left);

    [LoggerMessage(3007, LogLevel.Warning, "The store has lost the last of what it had acknowledged. {Written} unsettled tasks are written again; the ends of {Reloaded} were lost, they are run again.")]
    private partial void LogStoreRolledBack(int written, int reloaded);

    [LoggerMessage(3008, LogLevel.Warning, "Paused: this server takes no new tasks until POST /resume. {Queue} wait, {Running} run.")]
    private partial void LogPaused(int queue, int running);

    [LoggerMessage(3009, LogLevel.Warning, "Resumed: this server takes new tasks again.")]
    private partial void LogResumed();

    [LoggerMessage(3201, LogLevel.Information, "Task {TaskId} goes back to the queue after attempt {Attempts}: {Reason}.")]
    private partial void LogTaskRequeued(string taskId, int attempts, string reason);

    [LoggerMessage(3202, LogLevel.Warning, "Task {TaskId} ({Type} of {User}) is a dead letter after {Attempts} attempts: {Error}.")]
    private partial void LogTaskDeadLettered(string taskId, TaskType type, string user, int attempts, string? error);

    [LoggerMessage(3204, LogLevel.Information, "Task {TaskId} goes back to the queue, and no attempt is counted: {Reason}.")]
    private partial void LogTaskReturned(string taskId, string reason);

    [LoggerMessage(3203, LogLevel.Warning, "Session {Session}: {Message} is refused: {Error}.")]
    private partial void LogMessageRejected(long session, string message, string error);
}
