using Mesh.Server.Core.Tasks;

namespace Mesh.Simulation.Nodes;

/// <summary>What a client posts. <paramref name="answer"/> gets the answer, or null when there is none.</summary>
internal sealed class ClientSubmission(IReadOnlyList<TaskRecord> tasks, bool isDeadLetterRetry, Action<SubmitOutcome?> answer) : Submission(tasks, isDeadLetterRetry)
{
    public void Answer(SubmitOutcome? outcome) => answer(outcome);
}
