namespace Mesh.Transport;

/// <summary>The reason why a connection was not established.</summary>
public enum MeshDialFailure : byte
{
    /// <summary>No server answers at the address, or the server is unavailable (HTTP 429 and 5xx).</summary>
    Unreachable = 1,

    /// <summary>A server answers, but does not accept a WebSocket: it closes the connection, sends another response or does not respond. Servers of the line protocol do this.</summary>
    NotWebSocket = 2,

    /// <summary>The server requires another token (HTTP 401 and 403).</summary>
    Refused = 3,

    /// <summary>No connection was established within <see cref="MeshDialerOptions.ConnectTimeout"/>.</summary>
    Timeout = 4,
}

/// <summary>Thrown when no connection was established.</summary>
public sealed class MeshDialException : Exception
{
    public MeshDialException(MeshDialFailure failure, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Failure = failure;
    }

    public MeshDialFailure Failure { get; }
}
