using Mesh.Protocol;
using Mesh.Server.Core.Loans;

namespace Mesh.Server.Core.Peers;

/// <summary>Heartbeats and what follows from them: which peers are alive.</summary>
internal sealed class PeerHeartbeatMonitor(CoreState core)
{
    /// <summary>Servers told of that are no peers; beyond this many the oldest are forgotten, and told of again.</summary>
    private const int MaxUnknownServers = 100;

    /// <summary>A stranger makes a peer be asked for its name at most this often.</summary>
    private static readonly TimeSpan IdentityCheckInterval = TimeSpan.FromSeconds(1);

    private readonly TimingOptions _settings = core.Settings.Timing;
    private readonly HashSet<ServerId> _unknownServers = [];

    public DateTimeOffset? NextDeadline
    {
        get
        {
            DateTimeOffset? next = null;
            foreach (var peer in core.Peers.All)
            {
                var due = peer.HeartbeatInFlight ? DateTimeOffset.MaxValue : peer.NextHeartbeat;
                if (peer.Alive && peer.LastSeen + _settings.HeartbeatTimeout < due)
                {
                    due = peer.LastSeen!.Value + _settings.HeartbeatTimeout;
                }

                if (due != DateTimeOffset.MaxValue && (next is null || due < next))
                {
                    next = due;
                }
            }

            return next;
        }
    }

    public void Start(DateTimeOffset now)
    {
        foreach (var peer in core.Peers.All)
        {
            peer.DeadSince = now;
            peer.NextHeartbeat = now;
        }
    }

    public void OnTimer(DateTimeOffset now)
    {
        foreach (var peer in core.Peers.All)
        {
            if (peer.Alive && peer.LastSeen + _settings.HeartbeatTimeout <= now)
            {
                MarkDead(peer, "not heard of for too long", now);
            }

            if (!peer.HeartbeatInFlight && peer.NextHeartbeat <= now)
            {
                SendHeartbeat(peer);
            }
        }
    }

    public void OnHeartbeat(SessionId session, Heartbeat heartbeat, DateTimeOffset now)
    {
        core.Send(session, new HeartbeatResponse(core.Settings.Id) { Load = OwnLoad(), TraceParent = heartbeat.TraceParent });
        if (core.Peers.FindSender(heartbeat.Server) is { } peer)
        {
            RecordContact(peer, now);
            peer.Load = heartbeat.Load ?? peer.Load;
        }
        else
        {
            OnUnknownServer(heartbeat.Server, now);
        }
    }

    /// <summary>
    /// A server that is no peer by this name. It may be one that has named itself anew since its last heartbeat: what it calls itself now, its answer at its configured address tells.
    /// </summary>
    public void OnUnknownServer(ServerId server, DateTimeOffset now)
    {
        if (server == core.Settings.Id)
        {
            return;
        }

        if (_unknownServers.Count >= MaxUnknownServers)
        {
            _unknownServers.Clear();
        }

        if (_unknownServers.Add(server))
        {
            core.Report(new UnknownServerDetected(server));
        }

        foreach (var peer in core.Peers.All)
        {
            if (!peer.HeartbeatInFlight && (peer.ReportedId is not null || !peer.Alive) && !(now - peer.LastSeen < IdentityCheckInterval))
            {
                SendHeartbeat(peer);
            }
        }
    }

    /// <summary>Why what answers at a peer's address is not that peer, or null. A name that no other server has is taken for the peer's own.</summary>
    public string? CheckIdentity(PeerEntry peer, ServerId name)
    {
        if (name == peer.Id)
        {
            peer.ReportedId = null;
            return null;
        }

        if (name == core.Settings.Id || core.Peers.Find(name) is not null)
        {
            return $"SERVER_UUID: {peer.Settings.Endpoint}, the address of the peer \"{peer.Id}\", answers as \"{name}\"";
        }

        if (peer.ReportedId != name)
        {
            peer.ReportedId = name;
            core.Report(new PeerRenamed(peer.Id, peer.Settings.Endpoint, name));
        }

        return null;
    }

    /// <summary>Anything from a peer shows that it lives; whether it can be reached only an answered heartbeat shows, so one goes out at once.</summary>
    public void RecordContact(PeerEntry peer, DateTimeOffset now)
    {
        peer.LastSeen = now;
        if (!peer.Alive && !peer.HeartbeatInFlight)
        {
            SendHeartbeat(peer);
        }
    }

    public void OnResponse(PeerEntry peer, HeartbeatResponse response, DateTimeOffset now)
    {
        peer.HeartbeatInFlight = false;
        peer.Failures = 0;
        peer.LastSeen = now;
        peer.Load = response.Load;
        peer.NextHeartbeat = now + ApplyJitter(_settings.HeartbeatInterval);
        if (!peer.Alive)
        {
            peer.Alive = true;
            core.Report(new PeerUp(peer.Id));
        }
    }

    public void OnFailure(PeerEntry peer, string reason, DateTimeOffset now)
    {
        peer.HeartbeatInFlight = false;
        peer.Failures++;
        peer.NextHeartbeat = now + ApplyJitter(_settings.HeartbeatBackoff.Delay(peer.Failures));
        if (peer.Alive && peer.Failures > _settings.HeartbeatRetries)
        {
            MarkDead(peer, reason, now);
        }
    }

    public ServerLoad OwnLoad() => new(core.Tasks.Depth, core.Workers.All.Count(worker => Lender.IsIdleAtHome(worker, core)));

    private void SendHeartbeat(PeerEntry peer)
    {
        peer.HeartbeatInFlight = true;
        core.Effects.PeerSends.Add(new PeerSendEffect(peer.Id, new Heartbeat(core.Settings.Id) { Load = OwnLoad() }, ExpectsReply: true));
    }

    private void MarkDead(PeerEntry peer, string reason, DateTimeOffset now)
    {
        peer.Alive = false;
        peer.DeadSince = now;
        peer.Load = null;
        core.Report(new PeerDown(peer.Id, reason));
    }

    private TimeSpan ApplyJitter(TimeSpan delay) => delay * (1 + (_settings.HeartbeatJitter * ((2 * core.Random.NextDouble()) - 1)));
}
