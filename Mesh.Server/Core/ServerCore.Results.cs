using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;

namespace Mesh.Server.Core;

// Inputs that report the results of the store, the ledger and the server leases.
internal sealed partial class ServerCore
{
    /// <summary>Runs the continuations of a batch that is stored.</summary>
    /// <param name="known">
    /// The tasks of the batch that the store did not add, by <see cref="TaskRecord.ExistingTaskKey"/>: tasks with a known idempotency key, each with the stored task, retried
    /// dead letters that were not in the dead letters, and follow-ups of a task that was not unsettled any more.
    /// </param>
    public void OnStored(StoreBatch batch, IReadOnlyDictionary<string, TaskRecord?> known, DateTimeOffset now)
    {
        _core.StoreUnavailable &= batch.Ops.Count == 0;
        _core.Tasks.Dead = batch.DeadLetters ?? _core.Tasks.Dead;
        Journal.OnStored();
        foreach (var after in batch.Continuations)
        {
            switch (after.Kind)
            {
                case StoreContinuationKind.Accepted when after.Submission!.Schedule is not null:
                    _schedules.OnChangeStored(after.Submission, known);
                    break;
                case StoreContinuationKind.Accepted:
                    _admission.OnAccepted(after, known, now);
                    break;
                case StoreContinuationKind.Settled:
                    _tasks.OnSettled(after.Task!);
                    _followUps.OnStored(after, known, _tasks, now);
                    break;
                case StoreContinuationKind.DeadLettered:
                    _tasks.OnDeadLettered(after.Task!);
                    break;
                case StoreContinuationKind.Reply:
                    _core.Send(after.Session, after.Message!);
                    break;
                case StoreContinuationKind.Offered:
                    _lender.OnOffersStored(after);
                    break;
                case StoreContinuationKind.Withdrawn:
                    _core.Effects.SubmissionResults.Add((after.Submission!, SubmitOutcome.Conflict));
                    break;
                case StoreContinuationKind.Cancelled:
                    _tasks.OnCancelled(after.Task!);
                    break;
                case StoreContinuationKind.Invalidate:
                    _tasks.InvalidateCancelled(after.Task!);
                    break;
                case StoreContinuationKind.Cancel:
                    _canceller.OnCancel(after.Cancel!, now);
                    break;
                case StoreContinuationKind.CancelSettled or StoreContinuationKind.CancelRequested or StoreContinuationKind.DeadLetterDeleted:
                    _canceller.OnStored(after, known);
                    break;
                case StoreContinuationKind.ScheduleFired:
                    _schedules.OnFired(after.Firing!, known, now);
                    break;
                case StoreContinuationKind.DeadLettersDeleted:
                    DeadLetterDeletion.OnStored(_core, after.Submission!, known);
                    break;
                default:
                    throw new InvalidOperationException($"Store continuation {after.Kind} is unknown.");
            }
        }

        _admission.RestartSubmissions(now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Requeues a batch whose write failed, and refuses its submissions. The write may have been applied.</summary>
    /// <param name="batch">The batch. A batch without changes only checked the state of the store.</param>
    public void OnStoreFailed(StoreBatch batch, DateTimeOffset now)
    {
        _core.StoreUnavailable |= batch.Ops.Count > 0;
        foreach (var refused in Journal.RequeueFailed(batch))
        {
            Refuse(refused);
        }

        _schedules.RemoveUnwritable();
        ProcessChangedWorkers(now);
    }

    /// <summary>Recovers from a store that has lost its latest acknowledged writes. It did not apply the batch.</summary>
    /// <param name="stored">The present state of the store.</param>
    public void OnStoreRolledBack(StoreBatch batch, StoredState stored, DateTimeOffset now)
    {
        _core.StoreUnavailable = false;
        foreach (var refused in _core.Journal.RequeueFailed(batch, rejectsDeadLetterRetries: true))
        {
            Refuse(refused);
        }

        _recovery.Recover(stored, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Records whether the store keeps acknowledged writes. Called when its settings have changed.</summary>
    public void OnStoreDurability(bool isDurable) => _core.StoreNotDurable = !isDurable;

    /// <summary>Settles a task for which the ledger rejects further attempts.</summary>
    /// <param name="applied">The balance after the task if an attempt was applied, else null.</param>
    public void OnInvalidated(TaskId task, decimal? applied, DateTimeOffset now)
    {
        _tasks.OnInvalidated(task, applied, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Schedules another invalidation of a task. Called when the ledger is unavailable.</summary>
    public void OnInvalidationFailed(TaskId task, DateTimeOffset now) => _tasks.OnInvalidationFailed(task, now);

    /// <summary>Adopts the tasks of a dead peer. Called when this server has acquired the server lease of the peer.</summary>
    /// <param name="stored">The stored state of the peer.</param>
    public void OnAdopted(ServerId server, StoredState stored, DateTimeOffset now)
    {
        _adoptions.OnAdopted(server, stored, now);
        ProcessChangedWorkers(now);
    }

    /// <summary>Schedules another adoption request. Called when the server lease of a dead peer could not be acquired.</summary>
    public void OnAdoptionRefused(ServerId server, DateTimeOffset now) => _adoptions.OnRefused(server, now);

    /// <summary>Ends an adoption. Called when the adopted server waits for its server lease, or another process has acquired it.</summary>
    public void OnAdoptionEnded(ServerId server, DateTimeOffset now)
    {
        _adoptions.OnAdoptionEnded(server, now);
        ProcessChangedWorkers(now);
    }

    private void Refuse(in StoreContinuation refused)
    {
        if (refused.Cancel is not null)
        {
            _canceller.OnRefused(refused);
        }
        else
        {
            _admission.OnRefused(refused);
        }
    }
}
