namespace MeshAspire.Client;

/// <summary>
/// No server could answer until the time limit: they cannot be connected to, or are not ready. A submission that ends with this error has certainly not accepted anything.
/// For other operations it is unknown whether the change was made; they can be repeated.
/// </summary>
public sealed class MeshUnavailableException(string message, Uri? server = null, Exception? innerException = null) : MeshException(message, server, innerException);
