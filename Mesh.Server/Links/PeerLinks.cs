using System.Collections.Frozen;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Loop;
using Mesh.Server.Telemetry;

namespace Mesh.Server.Links;

/// <summary>Starts and stops the links to all peers.</summary>
internal sealed class PeerLinks(
    CoreInputQueue inputs, IPeerTransport transport, MeshEventLog events, MessageLogger messages, TimeProvider time, ILogger<PeerLink> logger) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private FrozenDictionary<ServerId, PeerLink> _links = FrozenDictionary<ServerId, PeerLink>.Empty;
    private Task[] _running = [];

    public void Start(ServerSettings settings)
    {
        _links = settings.Peers.ToFrozenDictionary(
            peer => peer.Id,
            peer => new PeerLink(settings.Id, peer, settings.Timing.ReplyTimeout, inputs, transport, happened => events.Report(happened), messages, time, logger));
        _running = [.. _links.Values.Select(link => link.RunAsync(_stop.Token))];
    }

    /// <summary>Queues a message to a peer. Returns false when the queue of the peer is full.</summary>
    public bool TrySend(in PeerSendEffect send) => _links[send.Peer].TrySend(send);

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
    }

    public void Dispose() => _stop.Dispose();
}
