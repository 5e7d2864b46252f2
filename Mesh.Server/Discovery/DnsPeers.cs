using System.Net;
using System.Net.Sockets;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;

namespace Mesh.Server.Discovery;

/// <summary>
/// Finds the servers behind a DNS name (docs/operations.md, "Peers from DNS"). The server at each new address is asked for its id. A server that the name does not lead to any more stays
/// a peer for Mesh__PeersFromDns__RemoveAfter. Not thread-safe.
/// </summary>
internal sealed partial class DnsPeers(INameResolver names, IServerIdProbe probe, TimeProvider time, ILogger<DnsPeers> logger)
{
    /// <summary>The maximum number of addresses behind the name.</summary>
    public const int MaxAddresses = 1000;

    /// <summary>The number of servers that are asked for their ids at the same time.</summary>
    private const int Parallelism = 32;

    /// <summary>The time after which the server at an address is asked again, because another server can have got the address.</summary>
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromMinutes(5);

    private readonly Dictionary<IPAddress, (ServerId Server, DateTimeOffset At)> _ids = [];
    private readonly Dictionary<ServerId, (PeerSettings Peer, DateTimeOffset SeenAt)> _found = [];
    private string? _name;
    private string? _fault;

    /// <summary>Looks up the name once, and returns all peers that were found by it. Returns the earlier peers when the name cannot be looked up.</summary>
    /// <param name="self">The id of this server, which is no peer.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<IReadOnlyList<PeerSettings>> FindAsync(PeersFromDnsOptions options, ServerId self, CancellationToken cancellationToken)
    {
        if (options.Name != _name)
        {
            _name = options.Name;
            _ids.Clear();
            _found.Clear();
        }

        if (_name is not null && await ResolveAsync(_name, cancellationToken) is { } addresses)
        {
            await AskAsync(addresses, options.Port, cancellationToken);
            await UpdateAsync(addresses, options, self, cancellationToken);
        }

        return [.. _found.Values.Select(found => found.Peer).OrderBy(peer => peer.Id.Value, StringComparer.Ordinal)];
    }

    private async Task<IReadOnlyList<IPAddress>?> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = await names.ResolveAsync(name, cancellationToken);
            _fault = null;
            if (addresses.Length > MaxAddresses)
            {
                LogTooMany(name, addresses.Length, MaxAddresses);
            }

            return [.. addresses.Distinct().OrderBy(address => address.AddressFamily).ThenBy(address => address.ToString(), StringComparer.Ordinal).Take(MaxAddresses)];
        }
        catch (SocketException exception)
        {
            if (_fault != exception.Message)
            {
                _fault = exception.Message;
                LogUnresolved(name, exception.Message);
            }

            return null;
        }
    }

    private async Task AskAsync(IReadOnlyList<IPAddress> addresses, int port, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var gone in _ids.Keys.Except(addresses).ToList())
        {
            _ids.Remove(gone);
        }

        foreach (var chunk in addresses.Where(address => !_ids.TryGetValue(address, out var known) || known.At + AskAgainAfter <= now).Chunk(Parallelism))
        {
            var servers = await Task.WhenAll(chunk.Select(address => probe.AskAsync(new MeshEndpoint(address.ToString(), port), cancellationToken)));
            foreach (var (address, server) in chunk.Zip(servers))
            {
                if (server is { } id)
                {
                    _ids[address] = (id, now);
                }
            }
        }
    }

    private async Task UpdateAsync(IReadOnlyList<IPAddress> addresses, PeersFromDnsOptions options, ServerId self, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var seen = new HashSet<ServerId> { self };
        foreach (var address in addresses)
        {
            // A server can have several addresses. The first one is used.
            if (_ids.TryGetValue(address, out var answer) && seen.Add(answer.Server))
            {
                var host = await FindHostAsync(answer.Server, options.Name!, address, cancellationToken);
                _found[answer.Server] = (new PeerSettings(answer.Server, new MeshEndpoint(host, options.Port)), now);
            }
        }

        foreach (var (id, found) in _found)
        {
            if (!seen.Contains(id) && now - found.SeenAt >= options.RemoveAfter)
            {
                _found.Remove(id);
            }
        }
    }

    /// <summary>Returns the name {id}.{name} if it leads to the address, as in a StatefulSet of Kubernetes: it stays when the server gets another address. Otherwise returns the address.</summary>
    private async Task<string> FindHostAsync(ServerId server, string name, IPAddress address, CancellationToken cancellationToken)
    {
        var host = $"{server.Value}.{name}";
        if (Uri.CheckHostName(host) != UriHostNameType.Dns)
        {
            return address.ToString();
        }

        try
        {
            return (await names.ResolveAsync(host, cancellationToken)).Contains(address) ? host : address.ToString();
        }
        catch (SocketException)
        {
            // A name that was found before is kept, because a failed look-up does not show that it is gone.
            return _found.TryGetValue(server, out var found) && found.Peer.Endpoint.Host == host ? host : address.ToString();
        }
    }

    [LoggerMessage(1311, LogLevel.Warning, "{Name} (Mesh__PeersFromDns__Name) cannot be looked up, retrying: {Reason} The peers that were found before stay.")]
    private partial void LogUnresolved(string name, string reason);

    [LoggerMessage(1312, LogLevel.Warning, "{Name} (Mesh__PeersFromDns__Name) has {Count} addresses. Only {Limit} of them are used.")]
    private partial void LogTooMany(string name, int count, int limit);
}
