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

/// <summary>Serves WebSocket peers, on any path.</summary>
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

    /// <summary>Before the WebSocket middleware: puts a stream under the socket that writes the messages of one flush at once.</summary>
    public static Task PrepareAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade)
        {
            context.Features.Set<IHttpUpgradeFeature>(new BatchingUpgrade(upgrade, context.Items));
        }

        return next(context);
    }

    /// <summary>After the WebSocket middleware, before authorization: selects the endpoint of WebSocket peers for all WebSocket requests, whatever their path.</summary>
    public Task SelectAsync(HttpContext context, RequestDelegate next)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            context.SetEndpoint(_endpoint);
        }

        return next(context);
    }

    /// <summary>Serves a WebSocket until it is closed. Answers 503 while there is no core to serve it.</summary>
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
