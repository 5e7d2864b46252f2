using Mesh.Server.Core.Persistence;

namespace Mesh.Server.Core.Tasks;

/// <summary>Deletes dead letters on request of a client.</summary>
internal static class DeadLetterDeletion
{
    /// <summary>Adds the deletions to the journal. When the request is refused, only adds its outcome to <see cref="Effects.SubmissionResults"/>.</summary>
    public static void Add(CoreState core, Submission deletion)
    {
        if (core.Stopping || core.StoreUnavailable)
        {
            core.Effects.SubmissionResults.Add((deletion, core.Stopping ? SubmitOutcome.Stopping : SubmitOutcome.StoreUnavailable));
            return;
        }

        foreach (var task in deletion.Tasks)
        {
            core.Journal.Add(StoreOp.Of(StoreOpKind.DeleteDeadLetter, task));
        }

        core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.DeadLettersDeleted) { Submission = deletion });
    }

    /// <summary>Counts the deleted dead letters and adds the outcome. Called when the batch is stored.</summary>
    /// <param name="known">The tasks that the store did not change, as in <see cref="ServerCore.OnStored"/>.</param>
    public static void OnStored(CoreState core, Submission deletion, IReadOnlyDictionary<string, TaskRecord?> known)
    {
        foreach (var task in deletion.Tasks)
        {
            if (!known.ContainsKey(StoreOp.MissingDeadLetterKey(task.WireId)) && !(task.StoredBy is not null && known.ContainsKey(task.ExistingTaskKey)))
            {
                deletion.Count++;
            }
        }

        core.Effects.SubmissionResults.Add((deletion, deletion.Count > 0 ? SubmitOutcome.Accepted : SubmitOutcome.NotDead));
    }
}
