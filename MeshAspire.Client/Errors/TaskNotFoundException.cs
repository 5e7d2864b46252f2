namespace MeshAspire.Client;

/// <summary>No server knows the task that was waited for. Its result may have been kept no longer (<c>Mesh__Tasks__ResultRetention</c>), or its dead letter was deleted.</summary>
public sealed class TaskNotFoundException(string message, string id) : MeshException(message)
{
    /// <summary>The id of the task.</summary>
    public string Id => id;
}
