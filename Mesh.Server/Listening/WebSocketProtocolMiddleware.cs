using Mesh.Server.Access;
using Mesh.Server.Api;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Mesh.Server.Sessions;
using Mesh.Transport;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Listening;

/// <summary>Serves WebSocket connections on any path.</summary>
internal sealed class WebSocketProtocolMiddleware
{
    private static readonly object StreamKey = new();

    private readonly SessionTable _sessions;
    private readonly ServerReadiness _state;
    private readonly MeshConnectionOptions _connectionOptions;
    private readonly Endpoint _endpoint;

    public WebSocketProtocolMiddleware(SessionTable sessions, ServerReadiness state, IOptions<MeshOptions> options, TimeProvider time)
    {
        (_sessions, _state) = (sessions, state);
        _connectionOptions = SessionTable.ConnectionOptions(options.Value.Sessions, time);
        _endpoint = new(ServeAsync, new(new AuthorizeAttribute(TokenAuthenticationExtensions.SessionPolicy)), "WebSocket peers");
    }

    /// <summary>Runs before the WebSocket middleware. Inserts a stream under the socket that combines the messages of one flush into one write.</summary>
    public static Task PrepareAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade)
        {
            context.Features.Set<IHttpUpgradeFeature>(new BatchingUpgrade(upgrade, context.Items));
        }

        return next(context);
    }

    /// <summary>Runs after the WebSocket middleware and before authorization. Selects the endpoint of this middleware for all WebSocket requests, on any path.</summary>
    public Task SelectAsync(HttpContext context, RequestDelegate next)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            context.SetEndpoint(_endpoint);
        }

        return next(context);
    }

    /// <summary>Serves a WebSocket until it is closed. Answers 503 while the loop is not running.</summary>
    private async Task ServeAsync(HttpContext context)
    {
        if (!_sessions.IsOpen)
        {
            await Problems.NotReady(context, _state).ExecuteAsync(context);
            return;
        }

        var socket = await context.WebSockets.AcceptWebSocketAsync();
        var connection = new WebSocketConnection(
            socket,
            $"{context.Connection.RemoteIpAddress}:{context.Connection.RemotePort}",
            _connectionOptions,
            context.Items[StreamKey] as BatchingStream,
            context.Abort,
            ResetProbe.Of(context.Features));
        await _sessions.ServeAsync(connection, context.Features.Get<TokenGrant>() ?? TokenGrant.Anonymous);
        await connection.Closed;
    }

    private sealed class BatchingUpgrade(IHttpUpgradeFeature inner, IDictionary<object, object?> items) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => inner.IsUpgradableRequest;

        public async Task<Stream> UpgradeAsync()
        {
            var stream = new BatchingStream(await inner.UpgradeAsync());
            items[StreamKey] = stream;
            return stream;
        }
    }
}
