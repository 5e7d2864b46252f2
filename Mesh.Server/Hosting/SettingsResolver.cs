using System.Net;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Discovery;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Transport;
using MeshAspire.ServiceDefaults;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.ServiceDiscovery;

namespace Mesh.Server.Hosting;

/// <summary>Creates the core's settings: adds the resolved addresses of this server and its peers to the options.</summary>
internal sealed partial class SettingsResolver(
    IOptions<MeshOptions> options,
    IServer server,
    ServiceEndpointResolver discovery,
    DnsPeers dns,
    ServerReadiness state,
    TimeProvider time,
    ILogger<SettingsResolver> logger)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastDelay = TimeSpan.FromSeconds(2);

    /// <summary>Resolves all addresses. Called when the server listens. Waits while the name of a peer cannot be resolved.</summary>
    /// <exception cref="MeshConfigurationException">Mesh__Advertise is missing, and it cannot be derived from the addresses that the server listens on.</exception>
    public async Task<ServerSettings> ResolveAsync(CancellationToken cancellationToken)
    {
        var advertise = Advertise();
        var peers = new List<PeerSettings>();
        foreach (var peer in options.Value.Others)
        {
            var address = ServiceAddress.Parse(peer.Endpoint!)!.Value;
            var endpoint = address.Endpoint ?? await DiscoverAsync(peer.Id!, address.Name!, cancellationToken);
            peers.Add(new PeerSettings(new ServerId(peer.Id!), endpoint) { IsTls = address.IsTls });
        }

        // Servers that do not answer yet are found later.
        var found = await dns.FindAsync(options.Value.PeersFromDns, new ServerId(options.Value.ServerId!), cancellationToken);
        return CreateSettings(options.Value, advertise, PeerSetMonitor.Combine(peers, found));
    }

    /// <summary>Resolves the address of a peer once. Returns null when its name cannot be resolved.</summary>
    public async Task<MeshEndpoint?> TryResolveAsync(ServiceAddress address, CancellationToken cancellationToken)
    {
        try
        {
            return address.Endpoint ?? await FindAsync(address.Name!, cancellationToken);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    internal static ServerSettings CreateSettings(MeshOptions options, MeshEndpoint advertise, IReadOnlyList<PeerSettings> peers) => new()
    {
        Id = new ServerId(options.ServerId!),
        Advertise = advertise,
        Peers = peers,
        Redirects = EndpointPatterns.Of(options.Redirect.Allowed),
        Timing = options.Timing,
        Balancing = options.Balancing,
        Tasks = options.Tasks,
        Loans = options.Loans,
        Adoption = options.Adoption,
        Sessions = options.Sessions,
    };

    private MeshEndpoint Advertise()
    {
        if (options.Value.Advertise is { } text && MeshEndpoint.TryParse(text, out var configured))
        {
            return configured;
        }

        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? throw new MeshConfigurationException("Mesh__Advertise is missing, and the server listens on no address that could replace it.");
        var bound = BindingAddress.Parse(address);
        return IsWildcard(bound.Host)
            ? throw new MeshConfigurationException(
                $"Mesh__Advertise is missing, and other servers cannot connect to {address}. Set Mesh__Advertise to host:port.")
            : new MeshEndpoint(bound.Host.Trim('[', ']'), bound.Port);
    }

    /// <summary>Returns whether a host stands for all addresses of a machine. Other machines cannot connect to such a host.</summary>
    public static bool IsWildcard(string host) =>
        host is "*" or "+" || (IPAddress.TryParse(host.Trim('[', ']'), out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)));

    private async Task<MeshEndpoint> DiscoverAsync(string peer, string name, CancellationToken cancellationToken)
    {
        state.WaitingFor = $"the address of peer {peer}";
        var retry = UnlimitedRetry.Create(time, FirstDelay, LastDelay, fault => fault is InvalidOperationException, (failures, fault) =>
        {
            if (failures == 0)
            {
                LogUnresolved(name, peer, fault.Message);
            }
        });
        return await retry.ExecuteAsync(cancellation => FindAsync(name, cancellation), cancellationToken);
    }

    private async ValueTask<MeshEndpoint> FindAsync(string name, CancellationToken cancellationToken)
    {
        var source = await discovery.GetEndpointsAsync(name, cancellationToken);
        foreach (var candidate in source.Endpoints)
        {
            if (ServiceAddress.ToMeshEndpoint(candidate.EndPoint) is { } found)
            {
                return found;
            }
        }

        throw new InvalidOperationException("the name has no address");
    }

    [LoggerMessage(1301, LogLevel.Warning, "The endpoint {Endpoint} of peer {Peer} cannot be resolved, retrying: {Reason}")]
    private partial void LogUnresolved(string endpoint, string peer, string reason);
}

/// <summary>Reports a configuration fault that can only be found after the server listens. The message is for the operator.</summary>
internal sealed class MeshConfigurationException(string message) : Exception(message);
