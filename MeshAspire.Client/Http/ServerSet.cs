using System.Collections.Frozen;

namespace MeshAspire.Client.Http;

/// <summary>The servers of a client in their order, with what is known about each.</summary>
internal sealed class ServerSet(IServerAddresses addresses, MeshClientSettings settings, TimeProvider time)
{
    private volatile FrozenDictionary<Uri, MeshServer> _known = FrozenDictionary<Uri, MeshServer>.Empty;

    /// <summary>Returns all servers, the primary one first.</summary>
    public async ValueTask<IReadOnlyList<MeshServer>> GetAsync(CancellationToken cancellationToken)
    {
        var current = await addresses.GetAsync(cancellationToken).ConfigureAwait(false);
        if (current.Count == 0)
        {
            throw new MeshUnavailableException("Service discovery found no address of the server. Set Mesh__Client__Endpoints__0, or reference the server's resource in the AppHost.");
        }

        // The servers of addresses that are no longer current are forgotten.
        var known = _known;
        if (known.Count != current.Count || !current.All(known.ContainsKey))
        {
            known = _known = current.ToFrozenDictionary(address => address, address => known.GetValueOrDefault(address) ?? new MeshServer(address, time));
        }

        return [.. current.Select(address => known[address])];
    }

    /// <summary>Returns the server with an address, also when it is not one of the current ones.</summary>
    public MeshServer Find(Uri address)
    {
        var normalized = MeshServer.Normalize(address);
        return _known.GetValueOrDefault(normalized) ?? new MeshServer(normalized, time);
    }

    /// <summary>Returns the servers with those at the end that could not be connected to lately.</summary>
    public IEnumerable<MeshServer> ReachableFirst(IReadOnlyList<MeshServer> servers) =>
        servers.Count == 1 ? servers : servers.OrderBy(server => !server.IsReachable(settings.UnreachableTime));
}
