using System.Collections.Concurrent;
using Mesh.Common;
using Mesh.Protocol;
using Mesh.Server.Access;
using Mesh.Server.Core;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Telemetry;
using Mesh.Transport;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Sessions;

/// <summary>All accepted connections, by session id.</summary>
internal sealed partial class SessionTable : IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<SessionId, Session> _sessions = [];
    private readonly CoreInputQueue _inputs;
    private readonly MeshTokens _tokens;
    private readonly SessionsOptions _options;
    private readonly SessionServices _services;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _idleTimer;
    private long _lastId;
    private int _count;
    private volatile bool _closed;

    public SessionTable(
        CoreInputQueue inputs,
        MeshTokens tokens,
        IOptions<MeshOptions> options,
        MeshMetrics errors,
        AccessMetrics metrics,
        MessageLogger messages,
        TimeProvider time,
        ILogger<SessionTable> logger)
    {
        _inputs = inputs;
        _tokens = tokens;
        tokens.Changed += CloseRevoked;
        _options = options.Value.Sessions;
        _services = new(_options, errors, metrics, messages, new LogRateLimiter(logger, time));
        _time = time;
        _logger = logger;
        _idleTimer = time.CreateTimer(static table => ((SessionTable)table!).DropIdleSessions(), this, SweepInterval, SweepInterval);
    }

    /// <summary>Returns the options of accepted connections.</summary>
    public static MeshConnectionOptions ConnectionOptions(SessionsOptions options, TimeProvider time) =>
        new() { OutboxCapacity = options.OutboxCapacity, MaxMessageBytes = options.MaxMessageBytes, TimeProvider = time };

    /// <summary>The number of open connections.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>
    /// False while the loop is not running. A connection must not stay open then: its peer would take this server for alive, and its requests would be answered
    /// after the peer has given up.
    /// </summary>
    public bool IsOpen => _inputs.IsOpen && !_closed;

    /// <summary>
    /// Serves a connection until it ends or its token is revoked. Closes it at once when there are too many connections, and while <see cref="IsOpen"/> is false.
    /// </summary>
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
                _services.Metrics.Refuse("Mesh__Sessions__MaxConnections");
                if (_services.LogLimiter.TryAcquire())
                {
                    LogFull(connection.RemoteAddress, _options.MaxConnections);
                }

                connection.TrySend(new Rejection($"This server already has {_options.MaxConnections} connections (Mesh__Sessions__MaxConnections)"));
                await connection.CloseAsync(CloseReason.Done);
                return;
            }

            var session = new Session(new SessionId(Interlocked.Increment(ref _lastId)), connection, grant, _inputs, _services, _time, _logger);
            _sessions[session.Id] = session;
            try
            {
                // The token may have been removed after the request was authenticated.
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

    /// <summary>Sends a message to a session. Does nothing when the session has ended.</summary>
    public void Send(SessionId id, MeshMessage message)
    {
        if (_sessions.TryGetValue(id, out var session))
        {
            session.Send(message);
        }
    }

    /// <summary>Closes all connections. Connections that are accepted later are closed at once.</summary>
    public Task CloseAllAsync()
    {
        _closed = true;
        return Task.WhenAll(_sessions.Values.Select(session => session.CloseAsync(CloseReason.Stopping)));
    }

    public void Dispose()
    {
        _tokens.Changed -= CloseRevoked;
        _idleTimer.Dispose();
    }

    private void CloseRevoked()
    {
        foreach (var (_, session) in _sessions)
        {
            session.CloseIfRevoked(_tokens);
        }
    }

    private void DropIdleSessions()
    {
        foreach (var (_, session) in _sessions)
        {
            session.DropIfIdle();
        }
    }

    [LoggerMessage(
        2101,
        LogLevel.Warning,
        "{RemoteAddress} is refused: there are {Limit} connections already (Mesh__Sessions__MaxConnections).")]
    private partial void LogFull(string remoteAddress, int limit);
}
