using Mesh.Protocol;

namespace MeshAspire.Worker;

/// <summary>Is called for each ACK of a WebSocket connection when it is registered in the services. Mesh.Bench measures with it.</summary>
internal sealed class AcknowledgementObserver(Action<TaskId> onAcknowledged)
{
    public void OnAcknowledged(TaskId task) => onAcknowledged(task);
}
