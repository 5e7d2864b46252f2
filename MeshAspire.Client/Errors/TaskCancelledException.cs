namespace MeshAspire.Client;

/// <summary>The task that was waited for was cancelled at its server. A cancelled wait throws an <see cref="OperationCanceledException"/> instead.</summary>
public sealed class TaskCancelledException(string message, MeshTask task) : MeshException(message, task.Server)
{
    /// <summary>The task.</summary>
    public MeshTask Task => task;
}
