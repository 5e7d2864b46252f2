namespace MeshAspire.Embedded.Dashboard.Feed;

/// <summary>The replicas as the AppHost told them last, in its order.</summary>
internal sealed class ResourceBoard
{
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, FeedResource> _resources = new(StringComparer.OrdinalIgnoreCase);
    private long _version;

    public long Version => Volatile.Read(ref _version);

    public IReadOnlyList<FeedResource> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _resources.Values];
            }
        }
    }

    public void Set(FeedResource resource)
    {
        lock (_lock)
        {
            _resources[resource.Id] = resource;
            _version++;
        }
    }

    public FeedResource? Find(string? id)
    {
        lock (_lock)
        {
            return id is null ? null : _resources.GetValueOrDefault(id);
        }
    }
}
