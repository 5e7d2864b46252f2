namespace MeshAspire.Client;

/// <summary>The base of all errors that a <see cref="MeshClient"/> reports.</summary>
public class MeshException : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="server">The address of the server that the error concerns, or null.</param>
    public MeshException(string message, Uri? server = null, Exception? innerException = null)
        : base(message, innerException) => Server = server;

    /// <summary>The address of the server that the error concerns, or null when it concerns none in particular.</summary>
    public Uri? Server { get; }
}
