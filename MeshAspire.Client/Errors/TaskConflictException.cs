namespace MeshAspire.Client;

/// <summary>The id of a task belongs to another task (409). Nothing of the request was accepted.</summary>
public sealed class TaskConflictException(string message, IReadOnlyList<string> fields, Uri? server = null) : MeshException(message, server)
{
    /// <summary>The fields that differ from the existing task, such as <c>amount</c>, or <c>[3].amount</c> with the index in the list of tasks.</summary>
    public IReadOnlyList<string> Fields => fields;
}
