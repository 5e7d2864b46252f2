using Mesh.Server.Core.Persistence;

namespace Mesh.Server.Core.Tasks;

/// <summary>
/// Handles requests to cancel a task (docs/protocol.md, "Cancelling a task"). A task that waits is settled as cancelled. A task that runs keeps its attempt, and is settled when the
/// attempt ends. Each outcome is added to <see cref="Effects.CancelResults"/> when the change is stored.
/// </summary>
internal sealed class TaskCanceller(CoreState core, TaskLifecycle tasks, TaskAdmission admission)
{
    /// <summary>Handles a request, or handles it again after the change that it waited for.</summary>
    public void OnCancel(CancelRequest request, DateTimeOffset now)
    {
        if (core.StoreUnavailable)
        {
            core.Effects.CancelResults.Add((request, CancelOutcome.StoreUnavailable));
            return;
        }

        var task = core.Tasks.Find(request.Id, storedBy: null) ?? admission.FindAdopted(request.Id);
        request.Task = task?.Record;
        if (task is null)
        {
            DeleteDeadLetter(request);
            return;
        }

        switch (task.Step)
        {
            case TaskStep.Storing:
                // The task is settled instead of queued when it is accepted. The request is handled again after that.
                task.IsCancelRequested = true;
                core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Cancel) { Cancel = request });
                break;
            case TaskStep.Queued or TaskStep.Scheduled:
                tasks.CancelQueued(task, now);
                CompleteOnceSettled(task, request);
                break;
            case TaskStep.Running:
                RequestEnd(task, request);
                break;
            case TaskStep.Invalidating:
                task.IsCancelRequested = true;
                CompleteOnceSettled(task, request);
                break;
            case TaskStep.Settling:
                core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Cancel) { Cancel = request });
                break;
            default:
                throw new InvalidOperationException($"Task step {task.Step} is unknown.");
        }
    }

    /// <summary>Adds the outcome of a request. Called when its change is stored.</summary>
    /// <param name="known">The tasks whose change the store did not make, as in <see cref="ServerCore.OnStored"/>.</param>
    public void OnStored(in StoreContinuation stored, IReadOnlyDictionary<string, TaskRecord?> known)
    {
        if (stored.Cancel is not { } request)
        {
            return;
        }

        var task = stored.DeadLetter ?? request.Task!;
        var outcome = stored.Kind == StoreContinuationKind.CancelRequested ? CancelOutcome.Requested : CancelOutcome.Cancelled;
        if (task.StoredBy is not null && known.ContainsKey(task.ExistingTaskKey))
        {
            // Another process has the lease of the adopted server, and the store did not make the change.
            outcome = CancelOutcome.Unknown;
        }

        core.Effects.CancelResults.Add((request, outcome));
    }

    /// <summary>Adds the outcome of a request whose write failed.</summary>
    public void OnRefused(in StoreContinuation refused) => core.Effects.CancelResults.Add((refused.Cancel!, CancelOutcome.Unknown));

    private void RequestEnd(TaskEntry task, CancelRequest request)
    {
        if (!task.IsCancelRequested)
        {
            task.IsCancelRequested = true;
            core.Journal.Add(StoreOp.Of(StoreOpKind.UpdateTask, task.ToRecord(TaskState.Queued)));
            core.Report(new TaskCancelRequested(task.Record, task.LastWorker));
        }

        core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.CancelRequested) { Cancel = request });
    }

    /// <summary>Answers the request when the task is settled. A task that the ledger may find done is looked up in the store then.</summary>
    private void CompleteOnceSettled(TaskEntry task, CancelRequest request)
    {
        if (task.Step == TaskStep.Settling)
        {
            core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.CancelSettled) { Cancel = request });
        }
        else
        {
            (task.CancelRequests ??= []).Add(request);
        }
    }

    private void DeleteDeadLetter(CancelRequest request)
    {
        if (request.DeadLetter is not { } dead)
        {
            core.Effects.CancelResults.Add((request, CancelOutcome.NotUnsettled));
            return;
        }

        core.Journal.Add(StoreOp.Of(StoreOpKind.DeleteDeadLetter, dead));
        core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.DeadLetterDeleted) { Cancel = request, DeadLetter = dead });
    }
}
