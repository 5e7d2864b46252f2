using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.Storage;

namespace Mesh.Server.Api;

/// <summary>The result of a request that retries or deletes all dead letters.</summary>
/// <param name="Count">The number of dead letters that it has changed. When the outcome of a write is unknown, the store can have changed more.</param>
/// <param name="EndedBy">The outcome of the write that ended the request early, or null when the request is complete.</param>
internal readonly record struct BulkChangeResult(int Count, SubmitOutcome? EndedBy);

/// <summary>Retries or deletes all dead letters that exist when a request begins, or those of one type, page by page (docs/protocol.md, "Dead letters").</summary>
/// <param name="submit">Passes one page to the core, and returns the outcome.</param>
/// <param name="writeSize">The number of dead letters in one write. Other work of the loop and of the store takes place between two of them.</param>
internal sealed class DeadLetterBulkChange(IMeshStore store, Func<PendingSubmission, Task<SubmitOutcome>> submit, int writeSize)
{
    /// <param name="revive">Returns a dead letter as a new task under its id.</param>
    public Task<BulkChangeResult> RetryAsync(TaskType? type, Func<TaskRecord, TaskRecord> revive, CancellationToken cancellationToken) =>
        ChangeAsync(type, dead => new PendingSubmission([.. dead.Select(revive)], isDeadLetterRetry: true), cancellationToken);

    public Task<BulkChangeResult> DeleteAsync(TaskType? type, CancellationToken cancellationToken) =>
        ChangeAsync(type, dead => new PendingSubmission(dead, isDeadLetterRetry: false) { IsDeadLetterDeletion = true }, cancellationToken);

    private async Task<BulkChangeResult> ChangeAsync(TaskType? type, Func<IReadOnlyList<TaskRecord>, PendingSubmission> change, CancellationToken cancellationToken)
    {
        var count = 0;
        foreach (var last in await store.FindLastDeadAsync(cancellationToken))
        {
            DeadLetterCursor? after = null;
            do
            {
                DeadLetterPage page;
                try
                {
                    // A retried task that becomes a dead letter again is behind the last one that existed at the beginning.
                    page = await store.ReadDeadAsync(new(after, type, writeSize) { Until = last }, cancellationToken);
                }
                catch (StoreUnavailableException) when (count > 0)
                {
                    // Without this the client would not be told how many dead letters are changed already.
                    return new(count, SubmitOutcome.StoreUnavailable);
                }

                if (page.Tasks.Count > 0)
                {
                    var submission = change(page.Tasks);
                    var outcome = await submit(submission);
                    count += submission.Count;
                    if (outcome is not (SubmitOutcome.Accepted or SubmitOutcome.NotDead))
                    {
                        return new(count, outcome);
                    }
                }

                after = page.Next;
            }
            while (after is not null);
        }

        return new(count, EndedBy: null);
    }
}
