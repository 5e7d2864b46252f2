namespace MeshAspire.Worker;

/// <summary>Whether the worker is in contact with a server. The loop writes it, health checks read it.</summary>
internal sealed class ServerContact
{
    private volatile string _description = "The worker has not reached its home server yet.";
    private volatile bool _isReached;

    public bool IsReached => _isReached;

    /// <summary>The server, or the reason why there is no contact.</summary>
    public string Description => _description;

    public void SetReached(string server) => (_description, _isReached) = ($"The worker is connected to {server}.", true);

    public void SetLost(string server, string reason) => (_isReached, _description) = (false, $"The worker cannot reach {server}: {reason}");
}
