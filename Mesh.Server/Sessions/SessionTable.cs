using System.Collections.Concurrent;
using Mesh.Protocol;
using Mesh.Server.Access;
using Mesh.Server.Core;
using Mesh.Server.Hosting;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Telemetry;
using Mesh.Telemetry;
using Mesh.Transport;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Sessions;

/// <summary>All accepted connections, by number.</summary>
internal sealed partial class SessionTable : IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<SessionId, Session> _sessions = [];
    private readonly MeshInbox _inbox;
    private readonly MeshTokens _tokens;
    private readonly SessionsOptions _options;
    private readonly SessionWatch _watch;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _sweep;
    private long _lastId;
    private int _count;
    private volatile bool _closed;

    public SessionTable(
        MeshInbox inbox,
        MeshTokens tokens,
        IOptions<MeshOptions> options,
        MeshMetrics errors,
        AccessMetrics metrics,
        MessageLog messages,
        TimeProvider time,
        ILogger<SessionTable> logger)
    {
        _inbox = inbox;
        _tokens = tokens;
        tokens.Changed += CloseRevoked;
        _options = options.Value.Sessions;
        _watch = new(_options, errors, metrics, messages, new LogPace(logger, time));
        _time = time;
        _logger = logger;
        _sweep = time.CreateTimer(static table => ((SessionTable)table!).Sweep(), this, SweepInterval, SweepInterval);
    }

    /// <summary>How accepted connections behave.</summary>
    public static MeshConnectionOptions ConnectionOptions(SessionsOptions options, TimeProvider time) =>
        new() { OutboxCapacity = options.OutboxCapacity, MaxMessageBytes = options.MaxMessageBytes, TimeProvider = time };

    /// <summary>Connections at the moment.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>
    /// False while there is no core to answer. A peer must not be left to wait for one on a connection that stands: it would take this server for alive,
    /// and what it asks would be answered long after it has given up.
    /// </summary>
    public bool IsOpen => _inbox.IsOpen && !_closed;

    /// <summary>Serves a connection until it ends, or its token is revoked. One too many is closed at once, as is any while this is not <see cref="IsOpen"/>.</summary>
    public async Task ServeAsync(MeshConnection connection, TokenGrant grant)
    {
        if (!IsOpen)
        {
            await connection.CloseAsync(CloseReason.Stopping);
            return;
        }

        try
        {
            if (Interlocked.Increment(ref _count) > _options.MaxConnections)
            {
                _watch.Metrics.Refuse("Mesh__Sessions__MaxConnections");
                if (_watch.Pace.MayWrite())
                {
                    LogFull(connection.RemoteAddress, _options.MaxConnections);
                }

                connection.TrySend(new Rejection($"This server has {_options.MaxConnections} connections already (Mesh__Sessions__MaxConnections)"));
                await connection.CloseAsync(CloseReason.Done);
                return;
            }

            var session = new Session(new SessionId(Interlocked.Increment(ref _lastId)), connection, grant, _inbox, _watch, _time, _logger);
            _sessions[session.Id] = session;
            try
            {
                // It may have been removed since it was asked for.
                if (!_tokens.IsValid(grant))
                {
                    connection.Abort(CloseReason.Revoked);
                }

                if (_closed)
                {
                    connection.Abort(CloseReason.Stopping);
                }

                await session.RunAsync();
            }
            finally
            {
                _sessions.TryRemove(session.Id, out _);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>Sends to a session, if it is still there.</summary>
    public void Send(SessionId id, MeshMessage message)
    {
        if (_sessions.TryGetValue(id, out var session))
        {
            session.Send(message);
        }
    }

    /// <summary>Closes all connections; those that come later are closed at once.</summary>
    public Task CloseAllAsync()
    {
        _closed = true;
        return Task.WhenAll(_sessions.Values.Select(session => session.CloseAsync(CloseReason.Stopping)));
    }

    public void Dispose()
    {
        _tokens.Changed -= CloseRevoked;
        _sweep.Dispose();
    }

    private void CloseRevoked()
    {
        foreach (var (_, session) in _sessions)
        {
            session.CloseIfRevoked(_tokens);
        }
    }

    private void Sweep()
    {
        foreach (var (_, session) in _sessions)
        {
            session.DropIfIdle();
        }
    }
}
