using Mesh.Common;
using Mesh.Protocol;
using MeshAspire.Worker.Core;
using Microsoft.Extensions.Logging;

namespace MeshAspire.Worker;

internal sealed partial class WorkerService
{
    private void Log(WorkerEvent reported)
    {
        using var trace = MeshTelemetry.Enter(reported.TraceParent);
        switch (reported)
        {
            case WorkerEvent.ServerReached { ServerTarget: { Borrower: { } borrower, Framing: var framing } }:
                LogAtBorrower(_options.Id, borrower, framing);
                break;
            case WorkerEvent.ServerReached { ServerTarget.Framing: var framing }:
                LogAtHome(_options.Id, _options.Home, framing);
                break;
            case WorkerEvent.ServerUnreachable { Failures: 1 } lost:
                LogServerUnreachable(_options.Id, lost.ServerTarget, lost.Why);
                break;
            case WorkerEvent.ServerUnreachable lost:
                LogServerStillUnreachable(lost.ServerTarget, lost.Failures, lost.Why, lost.RetryIn);
                break;
            case WorkerEvent.BorrowerAbandoned gone:
                LogBorrowerAbandoned(_options.Id, gone.ServerTarget, _options.Home);
                break;
            case WorkerEvent.RedirectAccepted lent:
                LogRedirectAccepted(_options.Id, _options.Home, lent.Borrower);
                break;
            case WorkerEvent.ReturnAccepted back:
                LogReturnAccepted(_options.Id, _options.Home, back.Address);
                break;
            case WorkerEvent.RejectedByBorrower away:
                LogRejectedByBorrower(_options.Id, away.ServerTarget, away.Why);
                break;
            case WorkerEvent.RedirectRefused refused:
                LogRefusedRedirect(_options.Id, refused.Target);
                break;
            case WorkerEvent.ReturnIgnored ignored:
                LogIgnoredReturn(_options.Id, ignored.Address);
                break;
            case WorkerEvent.Rejected rejected:
                LogRejected(_options.Id, rejected.Error);
                break;
            case WorkerEvent.UnexpectedMessage unexpected:
                LogUnexpected(_options.Id, unexpected.Message);
                break;
            case WorkerEvent.StatusesDropped dropped:
                LogGaveUpStatuses(_options.Id, dropped.Count);
                break;
            case WorkerEvent.AttemptsAbandoned abandoned:
                LogAbandoned(_options.Id, abandoned.Count, abandoned.FreeSlots, _options.Concurrency);
                break;
            case WorkerEvent.AbandonedAttemptEnded:
                LogAbandonedEnded(_options.Id);
                break;
            case WorkerEvent.AttemptCancelled cancelled:
                LogCancelled(_options.Id, cancelled.Task);
                break;
            case WorkerEvent.RunningRejected refused:
                LogRunningRejected(refused.ServerTarget, refused.Error);
                break;
            default:
                throw new InvalidOperationException($"Unknown event {reported}.");
        }
    }

    [LoggerMessage(EventId = 8001, Level = LogLevel.Information, Message = "{Worker} of {Home} is starting")]
    private partial void LogStarting(WorkerId worker, ServerId home);

    [LoggerMessage(EventId = 8002, Level = LogLevel.Information, Message = "{Worker} is at home with {Home} ({Framing})")]
    private partial void LogAtHome(WorkerId worker, ServerId home, Framing framing);

    [LoggerMessage(EventId = 8003, Level = LogLevel.Information, Message = "{Worker} works for {Borrower} ({Framing})")]
    private partial void LogAtBorrower(WorkerId worker, MeshEndpoint borrower, Framing framing);

    [LoggerMessage(EventId = 8004, Level = LogLevel.Information, Message = "{Worker} is lent by {Home} to {Borrower}")]
    private partial void LogRedirectAccepted(WorkerId worker, ServerId home, MeshEndpoint borrower);

    [LoggerMessage(EventId = 8005, Level = LogLevel.Information, Message = "{Worker} is sent home to {Home}; the RETURN names {Address}")]
    private partial void LogReturnAccepted(WorkerId worker, ServerId home, MeshEndpoint address);

    [LoggerMessage(EventId = 8006, Level = LogLevel.Warning, Message = "{Worker} cannot reach {ServerTarget} and retries: {Why}")]
    private partial void LogServerUnreachable(WorkerId worker, ServerTarget serverTarget, string why);

    [LoggerMessage(EventId = 8007, Level = LogLevel.Debug, Message = "{ServerTarget} is still unreachable after {Failures} attempts, the next one is in {RetryIn}: {Why}")]
    private partial void LogServerStillUnreachable(ServerTarget serverTarget, int failures, string why, TimeSpan retryIn);

    [LoggerMessage(EventId = 8008, Level = LogLevel.Warning, Message = "{Worker} gives up {ServerTarget} and returns to {Home}")]
    private partial void LogBorrowerAbandoned(WorkerId worker, ServerTarget serverTarget, ServerId home);

    [LoggerMessage(EventId = 8009, Level = LogLevel.Warning, Message = "{Worker} is rejected by {ServerTarget} and returns home: {Why}")]
    private partial void LogRejectedByBorrower(WorkerId worker, ServerTarget serverTarget, string why);

    [LoggerMessage(EventId = 8010, Level = LogLevel.Warning, Message = "{Worker} refuses a redirect: Mesh__Redirect__Allowed does not include {Target}")]
    private partial void LogRefusedRedirect(WorkerId worker, MeshEndpoint target);

    [LoggerMessage(EventId = 8011, Level = LogLevel.Information, Message = "{Worker} ignores a RETURN to {Address}, because it is at home")]
    private partial void LogIgnoredReturn(WorkerId worker, MeshEndpoint address);

    [LoggerMessage(EventId = 8012, Level = LogLevel.Warning, Message = "{Worker} is rejected by its home: {Error}")]
    private partial void LogRejected(WorkerId worker, string error);

    [LoggerMessage(EventId = 8013, Level = LogLevel.Warning, Message = "{Worker} received an unexpected message: {Message}")]
    private partial void LogUnexpected(WorkerId worker, string message);

    [LoggerMessage(EventId = 8014, Level = LogLevel.Warning, Message = "{Worker} drops {Count} statuses without an ACK; the leases of their tasks expire")]
    private partial void LogGaveUpStatuses(WorkerId worker, int count);

    [LoggerMessage(EventId = 8015, Level = LogLevel.Error, Message = "{Worker} leaves {Count} tasks running, because their handlers did not end after cancellation; until they end it asks for tasks with {FreeSlots} of {Slots} slots")]
    private partial void LogAbandoned(WorkerId worker, int count, int freeSlots, int slots);

    [LoggerMessage(EventId = 8016, Level = LogLevel.Information, Message = "{Worker} has stopped")]
    private partial void LogStopped(WorkerId worker);

    [LoggerMessage(EventId = 8017, Level = LogLevel.Warning, Message = "{Setting} is not a setting of a worker and has no effect")]
    private partial void LogUnknownSetting(string setting);

    [LoggerMessage(EventId = 8018, Level = LogLevel.Warning, Message = "{Worker} has a slot back: the handler of a task that it had left has ended")]
    private partial void LogAbandonedEnded(WorkerId worker);

    [LoggerMessage(EventId = 8019, Level = LogLevel.Information, Message = "{Worker} cancels {Task} on request of its server")]
    private partial void LogCancelled(WorkerId worker, TaskId task);

    [LoggerMessage(EventId = 8020, Level = LogLevel.Warning, Message = "{ServerTarget} does not accept RUNNING and gets none until the next connection: {Error}")]
    private partial void LogRunningRejected(ServerTarget serverTarget, string error);
}
