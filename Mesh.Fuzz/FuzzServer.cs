using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using Mesh.Accounts;
using Mesh.Server.Access;
using Mesh.Server.Hosting;
using Mesh.Server.Listening;
using Mesh.Server.Loop;
using Mesh.Server.Sessions;
using Mesh.Server.Storage;
using Mesh.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Fuzz;

/// <summary>
/// A server without sockets: its loop, its sessions and its HTTP pipeline. Its peer "server-b" never answers. All of its time limits are short, so that each case ends
/// quickly.
/// </summary>
internal sealed class FuzzServer : IAsyncDisposable
{
    public const int MaxErrors = 10;

    private static readonly Dictionary<string, string?> Configuration = new()
    {
        ["Mesh:ServerId"] = "server-a",
        ["Mesh:Advertise"] = "127.0.0.1:9001",
        ["Mesh:Peers:0:Id"] = "server-b",
        ["Mesh:Peers:0:Endpoint"] = "127.0.0.1:1",
        ["Mesh:Sessions:MaxErrors"] = $"{MaxErrors}",
        ["Mesh:Sessions:IdleTimeout"] = "00:00:01",
        ["Mesh:Tasks:HoldTime"] = "00:00:00.001",
        ["Mesh:Tasks:LineHoldTime"] = "00:00:00",
        ["Mesh:Tasks:WorkerGrace"] = "00:00:00",
        ["Mesh:Tasks:LineWorkerTimeout"] = "00:00:01",
        ["Mesh:Tasks:LeaseTime"] = "00:00:00.010",
        ["Mesh:Tasks:MaxAttempts"] = "1",
        ["Mesh:Tasks:Capacity"] = "1000",
        ["Mesh:Loans:ArrivalTimeout"] = "00:00:00.100",
        ["Mesh:Loans:ReturnTimeout"] = "00:00:00.100",
        ["Mesh:Loans:MaxAge"] = "00:00:01",
        ["ConnectionStrings:redis"] = "127.0.0.1:1",
    };

    private static readonly IPEndPoint ClientEndPoint = new(IPAddress.Parse("192.0.2.1"), 40_000);

    private readonly WebApplication _app;
    private readonly InMemoryHttpServer _http;
    private readonly ConnectionLimiter _limiter;
    private readonly LineProtocolMiddleware _lines;
    private readonly SessionTable _sessions;
    private readonly ServerReadiness _loop;

    private FuzzServer(WebApplication app, InMemoryHttpServer http)
    {
        _app = app;
        _http = http;
        _limiter = app.Services.GetRequiredService<ConnectionLimiter>();
        _lines = app.Services.GetRequiredService<LineProtocolMiddleware>();
        _sessions = app.Services.GetRequiredService<SessionTable>();
        _loop = app.Services.GetRequiredService<ServerReadiness>();
    }

    /// <summary>Whether the server's loop is running.</summary>
    public bool Runs => _loop.Phase == LoopPhase.Running;

    /// <summary>The number of open connections.</summary>
    public int Connections => _sessions.Count;

    public static async Task<FuzzServer> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Fuzz" });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(Configuration);
        builder.Services.AddSingleton<IMeshStore, NullMeshStore>();
        builder.Services.AddSingleton<ILedger, NullLedger>();
        builder.AddServiceDefaults();
        builder.AddMeshServer();
        var http = new InMemoryHttpServer();
        builder.WebHost.UseServer(http);
        var app = builder.Build();
        app.UseMeshServer();
        await app.StartAsync(cancellationToken);
        var server = new FuzzServer(app, http);
        while (!server.Runs)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        }

        return server;
    }

    /// <summary>Serves one TCP connection until it ends, as Kestrel's connection middleware does. A connection with an HTTP request is closed without an answer.</summary>
    public Task ServeConnectionAsync(IDuplexPipe transport) => _limiter.OnConnectedAsync(
        new DefaultConnectionContext($"{Guid.NewGuid()}", transport, transport) { RemoteEndPoint = ClientEndPoint },
        context => _lines.OnConnectedAsync(context, CloseAsync));

    /// <summary>Serves one WebSocket after its handshake, until it is closed.</summary>
    public async Task ServeWebSocketAsync(IDuplexPipe transport)
    {
        var socket = WebSocket.CreateFromStream(new DuplexPipeStream(transport), new WebSocketCreationOptions { IsServer = true });
        var connection = new WebSocketConnection(socket, $"{ClientEndPoint}", new MeshConnectionOptions());
        await _sessions.ServeAsync(connection, TokenGrant.Anonymous);
        await connection.Closed;
    }

    /// <summary>Runs one HTTP request through the whole pipeline.</summary>
    public Task ServeHttpAsync(IFeatureCollection request) => _http.ServeAsync(request);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static async Task CloseAsync(ConnectionContext context)
    {
        await context.Transport.Input.CompleteAsync();
        await context.Transport.Output.CompleteAsync();
    }
}
