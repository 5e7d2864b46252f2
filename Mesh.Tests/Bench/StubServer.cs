using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Tests.Bench;

/// <summary>The parts of a mesh server that a benchmark uses: a status, WebSockets that wait for a task, and a POST that sends one or fails.</summary>
internal sealed class StubServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WebApplication _app;
    private readonly ConcurrentBag<(WebSocket Socket, Task Ended)> _connections = [];
    private readonly SemaphoreSlim _connected = new(0);

    /// <summary>The number of connections. A client may read the status as soon as its connection is accepted.</summary>
    private int _workers;

    private StubServer(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    public int Connections => _connections.Count;

    /// <param name="host">The address that it listens at, as in a URL.</param>
    /// <param name="takesTasks">False to answer 500 to each.</param>
    public static async Task<StubServer> StartAsync(string host, bool takesTasks)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{host}:0");
        var server = new StubServer(builder.Build());
        server._app.UseWebSockets();
        server._app.MapGet("/status", () => new { workers = Enumerable.Repeat(new { }, Volatile.Read(ref server._workers)) });
        server._app.Map("/mesh", server.ServeAsync);
        server._app.MapPost("/tasks", () => takesTasks ? server.HandOutAsync() : Task.FromResult(Results.StatusCode(StatusCodes.Status500InternalServerError)));
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Completes when that many more workers have connected.</summary>
    public async Task ConnectedAsync(int connections, CancellationToken cancellation)
    {
        for (var i = 0; i < connections; i++)
        {
            Assert.True(await _connected.WaitAsync(Patience, cancellation), $"Waited {Patience} for {connections} connections; there are {Connections}");
        }
    }

    /// <summary>Completes when all connections have ended.</summary>
    public async Task GoneAsync(CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAll(_connections.Select(connection => connection.Ended)).WaitAsync(Patience, cancellation);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Waited {Patience} for all connections to end; {_connections.Count(connection => !connection.Ended.IsCompleted)} have not");
        }
    }

    public ValueTask DisposeAsync()
    {
        _connected.Dispose();
        return _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        Interlocked.Increment(ref _workers);
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections.Add((socket, ended.Task));
        _connected.Release();
        try
        {
            var buffer = new byte[4096];
            while ((await socket.ReceiveAsync(buffer, context.RequestAborted)).MessageType != WebSocketMessageType.Close)
            {
                // The worker requests a task, and waits.
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            // The worker has closed the connection without a close frame.
        }
        finally
        {
            ended.SetResult();
        }
    }

    private async Task<IResult> HandOutAsync()
    {
        await _connections.First().Socket.SendAsync(Encoding.UTF8.GetBytes("""{"TASK":"QUERY","USER":"maria"}"""), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        return Results.StatusCode(StatusCodes.Status202Accepted);
    }
}
