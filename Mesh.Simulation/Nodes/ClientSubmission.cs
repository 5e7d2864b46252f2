using Mesh.Server.Core;

namespace Mesh.Simulation;

/// <summary>What a client posts, and who hears the answer: null when there is none.</summary>
internal sealed class ClientSubmission(IReadOnlyList<TaskRecord> tasks, bool revive, Action<SubmitOutcome?> answer) : Submission(tasks, revive)
{
    public void Answer(SubmitOutcome? outcome) => answer(outcome);
}
