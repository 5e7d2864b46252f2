namespace Mesh.Transport;

/// <summary>Why a connection could not be dialled.</summary>
public enum MeshDialFailure : byte
{
    /// <summary>Nobody answers at that address, or the server there says that it cannot serve now (HTTP 429 and 5xx).</summary>
    Unreachable = 1,

    /// <summary>Somebody does, but does not take up WebSocket: closed, answered something else, or kept silent. A line peer does so.</summary>
    NotWebSocket = 2,

    /// <summary>The server wants another token (HTTP 401 and 403).</summary>
    Refused = 3,

    /// <summary>No connection within <see cref="MeshDialerOptions.ConnectTimeout"/>.</summary>
    Timeout = 4,
}

/// <summary>No connection came about.</summary>
public sealed class MeshDialException : Exception
{
    public MeshDialException(MeshDialFailure failure, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Failure = failure;
    }

    public MeshDialFailure Failure { get; }
}
