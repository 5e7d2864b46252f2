using Mesh.Server.Core;

namespace Mesh.Server.Hosting;

/// <summary>A submission whose answer is awaited.</summary>
internal sealed class PendingSubmission(IReadOnlyList<TaskRecord> tasks, bool isDeadLetterRetry) : Submission(tasks, isDeadLetterRetry)
{
    private readonly TaskCompletionSource<SubmitOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<SubmitOutcome> Outcome => _outcome.Task;

    public void Complete(SubmitOutcome outcome) => _outcome.TrySetResult(outcome);
}
