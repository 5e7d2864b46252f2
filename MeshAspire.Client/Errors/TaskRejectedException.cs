namespace MeshAspire.Client;

/// <summary>A server refused a request because a field is not valid (400) or too large (413). Nothing was accepted. Repeating it leads to the same error.</summary>
public sealed class TaskRejectedException(string message, string? field, string? detail, Uri? server = null) : MeshException(message, server)
{
    /// <summary>The name of the faulty field, such as <c>amount</c>, or <c>[3].amount</c> with the index in the list of tasks. Null when the server did not name it.</summary>
    public string? Field { get; } = field;

    /// <summary>The server's description of the fault, or null.</summary>
    public string? Detail { get; } = detail;
}
