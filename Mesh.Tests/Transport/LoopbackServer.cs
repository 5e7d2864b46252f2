using System.Net;
using System.Threading.Channels;
using Mesh.Protocol;
using Mesh.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Transport;

/// <summary>Kestrel on loopback, with one port for WebSocket and one for lines. <see cref="AcceptAsync"/> returns the accepted connections.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<MeshConnection> _accepted = Channel.CreateBounded<MeshConnection>(16);
    private readonly MeshConnectionOptions _options;

    private LoopbackServer(WebApplication app, MeshConnectionOptions options)
    {
        _app = app;
        _options = options;
    }

    public MeshEndpoint WebSocketEndpoint { get; private set; }

    public MeshEndpoint LineEndpoint { get; private set; }

    /// <summary>Called before each WebSocket handshake. A status other than 101 refuses it.</summary>
    public Func<HttpRequest, int> Decide { get; set; } = _ => StatusCodes.Status101SwitchingProtocols;

    public static async Task<LoopbackServer> StartAsync(MeshConnectionOptions? options = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        LoopbackServer? server = null;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Run(context => server!.ServeLinesAsync(context)));
        });
        var app = builder.Build();
        server = new LoopbackServer(app, options ?? new MeshConnectionOptions());
        app.Use(BatchingUpgradeFeature.Install);
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = MeshConnectionOptions.KeepAliveInterval, KeepAliveTimeout = MeshConnectionOptions.KeepAliveTimeout });
        app.Map("/mesh", server.ServeWebSocketAsync);
        await app.StartAsync();
        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;
        int[] ports = [.. addresses.Select(address => new Uri(address).Port)];
        server.WebSocketEndpoint = new("127.0.0.1", ports[0]);
        server.LineEndpoint = new("127.0.0.1", ports[1]);
        return server;
    }

    public MeshEndpoint ToMeshEndpoint(Framing framing) => framing == Framing.Line ? LineEndpoint : WebSocketEndpoint;

    public ValueTask<MeshConnection> AcceptAsync() => _accepted.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _accepted.Writer.TryComplete();
        while (_accepted.Reader.TryRead(out var connection))
        {
            connection.Abort(CloseReason.Done);
        }

        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task ServeLinesAsync(ConnectionContext context)
    {
        var connection = new LineConnection(context.Transport, $"{context.RemoteEndPoint}", _options, context.Abort);
        await _accepted.Writer.WriteAsync(connection);
        await connection.Closed;
    }

    private async Task ServeWebSocketAsync(HttpContext context)
    {
        var status = Decide(context.Request);
        if (status != StatusCodes.Status101SwitchingProtocols)
        {
            context.Response.StatusCode = status;
            return;
        }

        var socket = await context.WebSockets.AcceptWebSocketAsync();
        var stream = BatchingUpgradeFeature.StreamOf(context);
        var connection = new WebSocketConnection(socket, $"{context.Connection.RemoteIpAddress}", _options, stream, context.Abort);
        await _accepted.Writer.WriteAsync(connection);
        await connection.Closed;
    }

    /// <summary>Puts a <see cref="BatchingStream"/> under the WebSockets that the framework makes.</summary>
    private sealed class BatchingUpgradeFeature(IHttpUpgradeFeature inner) : IHttpUpgradeFeature
    {
        private BatchingStream? Stream { get; set; }

        public bool IsUpgradableRequest => inner.IsUpgradableRequest;

        public static Task Install(HttpContext context, RequestDelegate next)
        {
            if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } feature)
            {
                context.Features.Set<IHttpUpgradeFeature>(new BatchingUpgradeFeature(feature));
            }

            return next(context);
        }

        public static BatchingStream? StreamOf(HttpContext context) => (context.Features.Get<IHttpUpgradeFeature>() as BatchingUpgradeFeature)?.Stream;

        public async Task<Stream> UpgradeAsync() => Stream = new BatchingStream(await inner.UpgradeAsync());
    }
}
