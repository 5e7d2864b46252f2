namespace MeshAspire.Client;

/// <summary>The task that was waited for has become a dead letter: all its attempts have failed.</summary>
public sealed class TaskDeadException(string message, MeshTask task) : MeshException(message, task.Server)
{
    /// <summary>The task, with the error of its last attempt.</summary>
    public MeshTask Task => task;
}
