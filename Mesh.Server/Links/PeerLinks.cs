using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Loop;

namespace Mesh.Server.Links;

/// <summary>Opens and closes the links to peers. Only the loop calls it, and after the loop has ended <see cref="StopAsync"/> is called.</summary>
/// <param name="report">Receives the events that a link reports when it sends.</param>
internal sealed class PeerLinks(
    CoreInputQueue inputs, IPeerTransport transport, Action<MeshEvent> report, MessageLogger messages, TimeProvider time, ILogger<PeerLink> logger) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<ServerId, OpenLink> _links = [];

    /// <summary>The closed links whose last exchange may still be in progress.</summary>
    private readonly List<OpenLink> _closing = [];
    private ServerId _self;
    private TimeSpan _replyTimeout;

    /// <summary>The number of open links, and of closed ones that have not ended.</summary>
    public int Count => _links.Count + _closing.Count(link => !link.Running.IsCompleted);

    public void Start(ServerSettings settings) => (_self, _replyTimeout) = (settings.Id, settings.Timing.ReplyTimeout);

    /// <summary>Opens a link, instead of the one that the peer had, or closes it.</summary>
    public void Change(in PeerLinkEffect change)
    {
        RemoveEnded();
        if (_links.Remove(change.Peer, out var old))
        {
            old.Stop.Cancel();
            _closing.Add(old);
        }

        if (change.Settings is { } peer)
        {
            var link = new PeerLink(_self, peer, change.Link, _replyTimeout, inputs, transport, report, messages, time, logger);
            var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            _links.Add(change.Peer, new OpenLink(link, stop, link.RunAsync(stop.Token)));
        }
    }

    /// <summary>Queues a message to a peer. Returns false when the queue of the peer is full, or when it has no link.</summary>
    public bool TrySend(in PeerSendEffect send) => _links.TryGetValue(send.Peer, out var open) && open.Link.TrySend(send);

    /// <summary>Closes all links, and completes when they have ended.</summary>
    public Task StopAsync()
    {
        _stop.Cancel();
        return Task.WhenAll(_links.Values.Concat(_closing).Select(link => link.Running));
    }

    public void Dispose()
    {
        foreach (var link in _links.Values.Concat(_closing))
        {
            link.Stop.Dispose();
        }

        _stop.Dispose();
    }

    private void RemoveEnded()
    {
        foreach (var ended in _closing.FindAll(link => link.Running.IsCompleted))
        {
            ended.Stop.Dispose();
            _closing.Remove(ended);
        }
    }

    private sealed record OpenLink(PeerLink Link, CancellationTokenSource Stop, Task Running);
}
