using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Hosting;
using Mesh.Server.Hosting.Options;
using Mesh.Transport;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Discovery;

/// <summary>Reads the peers of the present configuration again. A configuration that is not valid is refused as a whole, and the last valid one stays. Not thread-safe.</summary>
internal sealed partial class ConfiguredPeers(
    IConfiguration configuration, IValidateOptions<MeshOptions> validator, SettingsFileFaults files, SettingsResolver resolver, ILogger<ConfiguredPeers> logger)
{
    private readonly Dictionary<ServerId, PeerSettings> _resolved = [];

    /// <summary>The peers whose names could not be resolved at the last attempt. Each is logged once.</summary>
    private readonly HashSet<ServerId> _unresolved = [];
    private string? _refused;

    /// <summary>True when the address of a peer was not found, so that <see cref="ResolveAsync"/> must be called again.</summary>
    public bool HasUnresolved => _unresolved.Count > 0;

    /// <summary>Sets the peers that this server has started with.</summary>
    public void Start(IReadOnlyList<PeerSettings> peers)
    {
        foreach (var peer in peers)
        {
            _resolved[peer.Id] = peer;
        }
    }

    /// <summary>Returns the present configuration, or null when it is not valid. Each reason is logged once.</summary>
    public MeshOptions? Read()
    {
        var options = new MeshOptions();
        SettingsBinder.Bind(configuration.GetSection(MeshOptions.Section), options, options.Unreadable, options.Unknown);
        var broken = files.Current;
        var faults = broken.Count > 0 ? broken : [.. validator.Validate(null, options).Failures ?? []];
        var refused = faults.Count > 0 ? string.Join("; ", faults) : null;
        if (refused is not null && refused != _refused)
        {
            LogRefused(refused);
        }

        _refused = refused;
        return refused is null ? options : null;
    }

    /// <summary>Resolves the addresses of all configured peers. A peer whose address cannot be resolved keeps the one that it had, or is left out.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<IReadOnlyList<PeerSettings>> ResolveAsync(MeshOptions options, ServerId self, CancellationToken cancellationToken)
    {
        var peers = new List<PeerSettings>();
        foreach (var peer in options.Peers.Where(peer => peer.Id != self.Value))
        {
            var (id, address) = (new ServerId(peer.Id!), ServiceAddress.Parse(peer.Endpoint!)!.Value);
            if (await resolver.TryResolveAsync(address, cancellationToken) is { } endpoint)
            {
                _unresolved.Remove(id);
                peers.Add(_resolved[id] = new PeerSettings(id, endpoint) { IsTls = address.IsTls });
            }
            else
            {
                if (_unresolved.Add(id))
                {
                    LogUnresolved(peer.Endpoint!, id);
                }

                peers.AddRange(_resolved.TryGetValue(id, out var known) ? [known] : []);
            }
        }

        foreach (var id in _resolved.Keys.Except(peers.Select(peer => peer.Id)).ToList())
        {
            _resolved.Remove(id);
        }

        _unresolved.IntersectWith(options.Peers.Select(peer => new ServerId(peer.Id!)));
        return peers;
    }

    [LoggerMessage(1314, LogLevel.Warning, "The endpoint {Endpoint} of peer {Peer} cannot be resolved, retrying. The peer keeps the address that it had, if any.")]
    private partial void LogUnresolved(string endpoint, ServerId peer);

    [LoggerMessage(1313, LogLevel.Error, "The changed configuration is not valid, and the peers stay as they are: {Faults}")]
    private partial void LogRefused(string faults);
}
