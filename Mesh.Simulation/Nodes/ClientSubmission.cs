using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>What a client posts, and who hears the answer: null when there is none.</summary>
internal sealed class ClientSubmission(IReadOnlyList<TaskRecord> tasks, bool isDeadLetterRetry, Action<SubmitOutcome?> answer) : Submission(tasks, isDeadLetterRetry)
{
    public void Answer(SubmitOutcome? outcome) => answer(outcome);
}
