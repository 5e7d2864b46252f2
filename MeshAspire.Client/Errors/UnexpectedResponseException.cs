namespace MeshAspire.Client;

/// <summary>A server gave an answer that is not part of the protocol. The address is probably not that of a mesh server, or the server has another version.</summary>
public sealed class UnexpectedResponseException(string message, Uri? server = null, Exception? innerException = null) : MeshException(message, server, innerException);
