namespace MeshAspire.Client;

/// <summary>The server requires another token (401), or the token does not permit the request (403). Nothing was accepted.</summary>
public sealed class MeshUnauthorizedException(string message, Uri? server = null) : MeshException(message, server);
