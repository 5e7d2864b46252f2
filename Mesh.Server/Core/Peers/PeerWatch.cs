using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Heartbeats and what follows from them: which peers are alive.</summary>
internal sealed class PeerWatch(CoreState core)
{
    /// <summary>Servers told of that are no peers; beyond this many the oldest are forgotten, and told of again.</summary>
    private const int MaxStrangers = 100;

    /// <summary>A stranger makes a peer be asked for its name at most this often.</summary>
    private static readonly TimeSpan NameCheck = TimeSpan.FromSeconds(1);

    private readonly HeartbeatSettings _settings = core.Settings.Heartbeat;
    private readonly HashSet<ServerId> _strangers = [];

    public DateTimeOffset? NextDeadline
    {
        get
        {
            DateTimeOffset? next = null;
            foreach (var peer in core.Peers.All)
            {
                var due = peer.HeartbeatUnderWay ? DateTimeOffset.MaxValue : peer.NextHeartbeat;
                if (peer.Alive && peer.LastSeen + _settings.Timeout < due)
                {
                    due = peer.LastSeen!.Value + _settings.Timeout;
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
            if (peer.Alive && peer.LastSeen + _settings.Timeout <= now)
            {
                Bury(peer, "not heard of for too long", now);
            }

            if (!peer.HeartbeatUnderWay && peer.NextHeartbeat <= now)
            {
                Beat(peer);
            }
        }
    }

    public void OnHeartbeat(SessionId session, Heartbeat heartbeat, DateTimeOffset now)
    {
        core.Send(session, new HeartbeatResponse(core.Settings.Id) { Load = OwnLoad(), TraceParent = heartbeat.TraceParent });
        if (core.Peers.FindCaller(heartbeat.Server) is { } peer)
        {
            Heard(peer, now);
            peer.Load = heartbeat.Load ?? peer.Load;
        }
        else
        {
            OnStranger(heartbeat.Server, now);
        }
    }

    /// <summary>
    /// A server that is no peer by this name. It may be one that has named itself anew since its last heartbeat: what it calls itself now, its answer at its configured address tells.
    /// </summary>
    public void OnStranger(ServerId server, DateTimeOffset now)
    {
        if (server == core.Settings.Id)
        {
            return;
        }

        if (_strangers.Count >= MaxStrangers)
        {
            _strangers.Clear();
        }

        if (_strangers.Add(server))
        {
            core.Tell(new StrangerHeard(server));
        }

        foreach (var peer in core.Peers.All)
        {
            if (!peer.HeartbeatUnderWay && (peer.CallsItself is not null || !peer.Alive) && !(now - peer.LastSeen < NameCheck))
            {
                Beat(peer);
            }
        }
    }

    /// <summary>Why what answers at a peer's address is not that peer, or null. A name that no other server has is taken for the peer's own.</summary>
    public string? WhyNot(PeerEntry peer, ServerId name)
    {
        if (name == peer.Id)
        {
            peer.CallsItself = null;
            return null;
        }

        if (name == core.Settings.Id || core.Peers.Find(name) is not null)
        {
            return $"SERVER_UUID: {peer.Settings.Endpoint}, the address of the peer \"{peer.Id}\", answers as \"{name}\"";
        }

        if (peer.CallsItself != name)
        {
            peer.CallsItself = name;
            core.Tell(new PeerRenamed(peer.Id, peer.Settings.Endpoint, name));
        }

        return null;
    }

    /// <summary>Anything from a peer shows that it lives; whether it can be reached only an answered heartbeat shows, so one goes out at once.</summary>
    public void Heard(PeerEntry peer, DateTimeOffset now)
    {
        peer.LastSeen = now;
        if (!peer.Alive && !peer.HeartbeatUnderWay)
        {
            Beat(peer);
        }
    }

    public void OnResponse(PeerEntry peer, HeartbeatResponse response, DateTimeOffset now)
    {
        peer.HeartbeatUnderWay = false;
        peer.Failures = 0;
        peer.LastSeen = now;
        peer.Load = response.Load;
        peer.NextHeartbeat = now + Spread(_settings.Interval);
        if (!peer.Alive)
        {
            peer.Alive = true;
            core.Tell(new PeerUp(peer.Id));
        }
    }

    public void OnFailure(PeerEntry peer, string reason, DateTimeOffset now)
    {
        peer.HeartbeatUnderWay = false;
        peer.Failures++;
        peer.NextHeartbeat = now + Spread(RetryDelay(peer.Failures, _settings));
        if (peer.Alive && peer.Failures > _settings.Retries)
        {
            Bury(peer, reason, now);
        }
    }

    /// <summary>The delay before the heartbeat that follows the given number of failures in a row.</summary>
    public static TimeSpan RetryDelay(int failures, HeartbeatSettings settings)
    {
        var delay = settings.RetryDelay.TotalSeconds * Math.Pow(settings.BackoffFactor, Math.Max(0, failures - 1));
        return delay < settings.MaxDelay.TotalSeconds ? TimeSpan.FromSeconds(delay) : settings.MaxDelay;
    }

    public ServerLoad OwnLoad() => new(core.Tasks.Depth, core.Workers.All.Count(worker => Lender.IsIdleAtHome(worker, core)));

    private void Beat(PeerEntry peer)
    {
        peer.HeartbeatUnderWay = true;
        core.Effects.PeerSends.Add(new PeerSendEffect(peer.Id, new Heartbeat(core.Settings.Id) { Load = OwnLoad() }, ExpectsReply: true));
    }

    private void Bury(PeerEntry peer, string reason, DateTimeOffset now)
    {
        peer.Alive = false;
        peer.DeadSince = now;
        peer.Load = null;
        core.Tell(new PeerDown(peer.Id, reason));
    }

    private TimeSpan Spread(TimeSpan delay) => delay * (1 + (_settings.Jitter * ((2 * core.Random.NextDouble()) - 1)));
}
