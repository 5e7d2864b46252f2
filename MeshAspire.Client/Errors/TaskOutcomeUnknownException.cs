namespace MeshAspire.Client;

/// <summary>
/// It is unknown whether a server has accepted the tasks: a request was sent, and no answer came until the time limit. Submit <see cref="Tasks"/> again to find out. They have
/// the same ids and go to the same server, so that none of them runs twice. This holds for as long as the server knows the ids (<c>Mesh__Tasks__ResultRetention</c>).
/// </summary>
public sealed class TaskOutcomeUnknownException(string message, IReadOnlyList<MeshTaskRequest> tasks, Uri server, Exception? innerException = null)
    : MeshException(message, server, innerException)
{
    /// <summary>The tasks with their ids and with the server that may have accepted them.</summary>
    public IReadOnlyList<MeshTaskRequest> Tasks => tasks;

    /// <summary>The ids of the tasks.</summary>
    public IReadOnlyList<string> Ids { get; } = [.. tasks.Select(task => task.Options.Id!)];
}
