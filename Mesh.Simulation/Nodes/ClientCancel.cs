using Mesh.Server.Core.Tasks;

namespace Mesh.Simulation.Nodes;

/// <summary>A client's request to cancel a task. <paramref name="answer"/> gets the outcome, or null when there is none.</summary>
internal sealed class ClientCancel(string id, Action<CancelOutcome?> answer) : CancelRequest(id)
{
    public void Answer(CancelOutcome? outcome) => answer(outcome);
}
