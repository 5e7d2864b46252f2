namespace MeshAspire.Client;

/// <summary>The task that was waited for was not settled within the time limit of the wait. It was accepted and goes on. Wait for it again by its id.</summary>
public sealed class TaskNotSettledException(string message, string id, MeshTask? task, Exception? innerException = null) : MeshException(message, task?.Server, innerException)
{
    /// <summary>The id of the task.</summary>
    public string Id => id;

    /// <summary>The last state of the task that a server returned, or null when none did.</summary>
    public MeshTask? Task => task;
}
