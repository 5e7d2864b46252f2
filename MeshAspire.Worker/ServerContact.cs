namespace MeshAspire.Worker;

/// <summary>Whether the worker is in contact with a server. The loop writes it, health checks read it.</summary>
internal sealed class ServerContact
{
    private volatile string _description = "The worker has not reached its home server yet.";
    private volatile bool _isReached;
    private volatile bool _isLost;

    public bool IsReached => _isReached;

    /// <summary>True when the worker has tried to reach a server in vain since it was last in contact with one.</summary>
    public bool IsLost => _isLost;

    /// <summary>The server, or the reason why there is no contact.</summary>
    public string Description => _description;

    public void SetReached(string server) => (_description, _isLost, _isReached) = ($"The worker is connected to {server}.", false, true);

    public void SetLost(string server, string reason) => (_isReached, _description, _isLost) = (false, $"The worker cannot reach {server}: {reason}", true);
}
