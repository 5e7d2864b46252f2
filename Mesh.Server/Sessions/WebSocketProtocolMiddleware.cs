using Mesh.Server.Access;
using Mesh.Server.Api;
using Mesh.Server.Hosting;
using Mesh.Server.Hosting.Options;
using Mesh.Transport;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Sessions;

/// <summary>Serves WebSocket peers, on any path.</summary>
internal sealed class WebSocketProtocolMiddleware(SessionTable sessions, ServerReadiness state, IOptions<MeshOptions> options, TimeProvider time)
{
    private static readonly object StreamKey = new();

    private readonly MeshConnectionOptions _connectionOptions = SessionTable.ConnectionOptions(options.Value.Sessions, time);

    /// <summary>Before the WebSocket middleware: puts a stream under the socket that writes the messages of one flush at once.</summary>
    public static Task PrepareAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade)
        {
            context.Features.Set<IHttpUpgradeFeature>(new BatchingUpgrade(upgrade, context.Items));
        }

        return next(context);
    }

    /// <summary>After it: takes all WebSocket requests, or answers 503 while there is no core to serve them.</summary>
    public async Task ServeAsync(HttpContext context, RequestDelegate next)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await next(context);
            return;
        }

        if (!sessions.IsOpen)
        {
            await Problems.NotReady(context, state).ExecuteAsync(context);
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
        await sessions.ServeAsync(connection, context.Features.Get<TokenGrant>() ?? TokenGrant.Anonymous);
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
