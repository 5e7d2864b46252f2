using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using static Mesh.Common.MeshTelemetry;

namespace Mesh.Server.Telemetry;

/// <summary>Writes the core's events to the log. Loan events are also recorded as spans and metrics.</summary>
internal sealed partial class MeshEventLog(MeshMetrics metrics, TimeProvider time, ILogger<MeshEventLog> logger)
{
    // Many workers connect or disconnect at the same time, so this limit is higher than the others.
    private readonly LogRateLimiter _workers = new(logger, time, linesPerSecond: 100, LogLevel.Information);
    private readonly LogRateLimiter _refused = new(logger, time);

    // Thousands of tasks can fail in one second.
    private readonly LogRateLimiter _requeued = new(logger, time, level: LogLevel.Information);
    private readonly LogRateLimiter _deadLettered = new(logger, time);
    private readonly LogRateLimiter _cancelled = new(logger, time, level: LogLevel.Information);
    private readonly LogRateLimiter _workerHealth = new(logger, time);
    private readonly LogRateLimiter _schedules = new(logger, time, level: LogLevel.Information);
    private readonly LogRateLimiter _skipped = new(logger, time);

    public void Report(MeshEvent happened)
    {
        switch (happened)
        {
            case WorkerJoined e:
                if (_workers.TryAcquire())
                {
                    LogWorkerJoined(e.Worker, e.Home, e.Framing);
                }

                break;
            case WorkerLeft e:
                if (_workers.TryAcquire())
                {
                    LogWorkerLeft(e.Worker, e.Home);
                }

                break;
            case PeerAvailabilityChanged { IsAlive: true } e:
                LogPeerUp(e.Peer);
                break;
            case PeerAvailabilityChanged e:
                LogPeerDown(e.Peer, e.Reason);
                break;
            case PeerConfigured e:
                LogPeerConfigured(e.Peer, e.Endpoint);
                break;
            case PeerLeaving e:
                LogPeerLeaving(e.Peer, e.Loans);
                break;
            case PeerRemoved e:
                LogPeerRemoved(e.Peer);
                break;
            case PeerRenamed e:
                if (_refused.TryAcquire())
                {
                    LogPeerRenamed(e.Endpoint, e.Name, e.Peer);
                }

                break;
            case UnknownServerDetected e:
                if (_refused.TryAcquire())
                {
                    LogUnknownServer(e.Server);
                }

                break;
            case WorkersRequested e:
                LogWorkersRequested(e.Queue, e.Owner, e.Needed, e.Types.ToString());
                break;
            case WorkersRefused e:
                using (Enter(e.TraceParent))
                {
                    LogWorkersRefused(e.Owner);
                }

                break;
            case LoanStateChanged e:
                LoanSpans.Record(e);
                using (Enter(e.TraceParent ?? e.Loan.ReturnTraceParent ?? e.Loan.TraceParent))
                {
                    Report(e.Loan);
                }

                break;
            case LoanFirstTaskDispatched e:
                LoanSpans.RecordFirstTask(e.Loan, e.Task.AttemptTrace);
                using (Enter(e.Loan.TraceParent))
                {
                    LogFirstTask(e.Loan.Worker, e.Loan.Peer, e.Task.Record.Id);
                }

                break;
            case LoanEnded e:
                LoanSpans.Record(e);
                metrics.Count(e);
                using (Enter(e.TraceParent ?? e.Loan.ReturnTraceParent ?? e.Loan.TraceParent))
                {
                    Report(e);
                }

                break;
            case LoansReturnRequested:
                LogLoansReturnRequested();
                break;
            case ReleaseSent { Try: 1 } e:
                LogReleaseSent(e.Workers.ToString(), e.Owner);
                break;
            case ReleaseSent e:
                LogReleaseRepeated(e.Workers.ToString(), e.Owner, e.Try);
                break;
            case ReleaseCompletedSent e:
                using (Enter(e.TraceParent))
                {
                    LogReleaseCompleted(e.Borrower, e.Workers.ToString());
                }

                break;
            case ServerAdopted e:
                LogServerAdopted(e.Server, e.Tasks, e.Dead);
                break;
            case AdoptionEnded e:
                LogAdoptionEnded(e.Server, e.Done, e.Left);
                break;
            case ServerPauseChanged { Status: { Paused: true } status }:
                LogPaused(status.Queue, status.Running);
                break;
            case ServerPauseChanged:
                LogResumed();
                break;
            case FollowUpRefused e:
                LogFollowUpRefused(e.Parent.Id, e.Error);
                break;
            case StoreRolledBack e:
                LogStoreRolledBack(e.Written, e.Reloaded);
                break;
            case DuplicateWorkerIdDetected e:
                LogDuplicateWorkerId(e.Worker);
                break;
            case TaskRequeued e:
                if (_requeued.TryAcquire())
                {
                    Report(e);
                }

                break;
            case TaskDeadLettered e:
                if (_deadLettered.TryAcquire())
                {
                    LogTaskDeadLettered(e.Task.Id, e.Task.Type, e.Task.Attempts, e.Task.Error);
                }

                break;
            case TaskCancelRequested or TaskCancelled or TaskResumed:
                if (_cancelled.TryAcquire())
                {
                    ReportCancel(happened);
                }

                break;
            case WorkerPaused or WorkerSetAside or WorkerReinstated or RedirectIgnored:
                if (_workerHealth.TryAcquire())
                {
                    ReportWorker(happened);
                }

                break;
            case MessageRejected e:
                if (_refused.TryAcquire())
                {
                    LogMessageRejected(e.Session.Value, e.Message.GetType().Name, e.Error);
                }

                break;
            case ScheduleFired e:
                metrics.Count(e);
                Report(e);
                break;
            default:
                throw new InvalidOperationException($"Unknown event {happened.GetType().Name}.");
        }
    }

    private void Report(ScheduleFired fired)
    {
        if (_schedules.TryAcquire())
        {
            using (Enter(fired.Task.TraceParent))
            {
                LogScheduleFired(fired.Schedule, fired.Task.Id);
            }
        }

        if (fired.Skipped > 0 && _skipped.TryAcquire())
        {
            LogTimesSkipped(fired.Schedule, fired.Skipped, fired.Time);
        }
    }

    private void ReportWorker(MeshEvent happened)
    {
        switch (happened)
        {
            case WorkerPaused e:
                LogWorkerPaused(e.Worker, e.Strikes, e.Pause);
                break;
            case WorkerSetAside e:
                LogWorkerSetAside(e.Worker, e.Home, e.Strikes);
                break;
            case WorkerReinstated e:
                LogWorkerReinstated(e.Worker, e.Home, e.Reason);
                break;
            case RedirectIgnored e:
                LogRedirectIgnored(e.Worker, e.Borrower, e.Count, e.Pause);
                break;
            default:
                throw new InvalidOperationException($"Unknown event {happened.GetType().Name}.");
        }
    }

    private void ReportCancel(MeshEvent happened)
    {
        switch (happened)
        {
            case TaskCancelRequested e:
                LogTaskCancelRequested(e.Task.Id, e.Worker);
                break;
            case TaskCancelled e:
                LogTaskCancelled(e.Task.Id, e.Task.Attempts);
                break;
            case TaskResumed e:
                LogTaskResumed(e.Worker, e.Task.Id);
                break;
            default:
                throw new InvalidOperationException($"Unknown event {happened.GetType().Name}.");
        }
    }

    private void Report(TaskRequeued requeued)
    {
        if (requeued.IsCounted)
        {
            LogTaskRequeued(requeued.Task.Id, requeued.Attempts, requeued.Reason);
        }
        else
        {
            LogTaskReturned(requeued.Task.Id, requeued.Reason);
        }
    }

    private void Report(LoanRecord loan)
    {
        switch (loan.State)
        {
            case LoanState.Offered:
                LogOffered(loan.Worker, loan.Peer);
                break;
            case LoanState.Lent:
                LogLent(loan.Worker, loan.Peer);
                break;
            case LoanState.Released:
                LogReleased(loan.Peer, loan.Worker);
                break;
            case LoanState.Expected:
                LogExpected(loan.Peer, loan.Worker);
                break;
            case LoanState.Arrived:
                LogArrived(loan.Worker, loan.Peer);
                break;
            case LoanState.Releasing:
                LogReleasing(loan.Worker, loan.Peer);
                break;
            case LoanState.Returning:
                LogReturning(loan.Peer, loan.Worker);
                break;
            case LoanState.Returned:
                LogReturned(loan.Worker, loan.Peer);
                break;
            default:
                throw new InvalidOperationException($"Unknown loan state {loan.State}.");
        }
    }

    private void Report(LoanEnded ended)
    {
        switch (ended.Loan.Role)
        {
            case LoanRole.Owner:
                LogLendingEnded(ended.Loan.Worker, ended.Loan.Peer, ended.Reason);
                break;
            case LoanRole.Borrower:
                LogBorrowingEnded(ended.Loan.Worker, ended.Loan.Peer, ended.Reason);
                break;
            default:
                throw new InvalidOperationException($"Unknown role {ended.Loan.Role}.");
        }
    }
}
