namespace MeshAspire.Client;

/// <summary>All servers refused the request because a limit was reached, such as that of unsettled tasks, until the time limit. Nothing was accepted.</summary>
public sealed class QueueFullException(string message, Uri? server = null, Exception? innerException = null) : MeshException(message, server, innerException);
