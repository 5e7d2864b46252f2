namespace MeshAspire.Client.Http;

/// <summary>Remembers at which server tasks are that are not, or perhaps not, at the primary one. Thread-safe. The oldest are forgotten first.</summary>
internal sealed class TaskLocations(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Uri> _servers = [];
    private readonly Queue<string> _order = [];

    public void Remember(string id, Uri server)
    {
        lock (_lock)
        {
            if (_servers.TryAdd(id, server))
            {
                _order.Enqueue(id);
                if (_order.Count > capacity)
                {
                    _servers.Remove(_order.Dequeue());
                }
            }
            else
            {
                _servers[id] = server;
            }
        }
    }

    public Uri? Find(string id)
    {
        lock (_lock)
        {
            return _servers.GetValueOrDefault(id);
        }
    }
}
