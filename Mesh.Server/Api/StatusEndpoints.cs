using System.Buffers;
using Mesh.Server.Loop;

namespace Mesh.Server.Api;

/// <summary>GET /status, and the same data as server-sent events at GET /events.</summary>
internal static class StatusEndpoints
{
    /// <summary>The maximum time between two writes to a stream. A comment is sent when nothing changes, so that clients can detect a broken connection.</summary>
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);

    public static void MapStatus(this IEndpointRouteBuilder app)
    {
        app.MapGet("/status", async (CoreInputQueue inputs) =>
                Results.Json(StatusResponse.Of(await inputs.QueryAsync(core => core.GetStatus())), ApiJson.Default.StatusResponse))
            .WithSummary("This server now: its queue, workers, peers and loans.")
            .Produces<StatusResponse>();
        app.MapGet("/events", StreamAsync)
            .WithSummary("The same as server-sent events, one on each change, at most four a second.")
            .Produces<StatusResponse>(contentType: "text/event-stream");
    }

    // The framework's server-sent events do not support comments.
    private static async Task StreamAsync(HttpContext context, StatusFeed feed, IHostApplicationLifetime lifetime, TimeProvider time)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        var states = feed.Subscribe();
        try
        {
            byte[]? state = null;
            for (var next = await feed.ReadAsync(); ; next = await NextAsync(states.Reader, time, ending.Token))
            {
                // The first state is read directly, and the feed may publish the same state again.
                if (next is null || !next.AsSpan().SequenceEqual(state))
                {
                    Write(context, next);
                    await context.Response.BodyWriter.FlushAsync(ending.Token);
                    state = next ?? state;
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or LoopStoppedException)
        {
            // The client or the server has gone.
        }
        finally
        {
            feed.Unsubscribe(states);
        }
    }

    /// <summary>Returns the next state, or null when the heartbeat interval passes without one.</summary>
    private static async Task<byte[]?> NextAsync(System.Threading.Channels.ChannelReader<byte[]> states, TimeProvider time, CancellationToken cancellationToken)
    {
        using var quiet = new CancellationTokenSource(HeartbeatInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, cancellationToken);
        try
        {
            return await states.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static void Write(HttpContext context, byte[]? state)
    {
        var output = context.Response.BodyWriter;
        if (state is null)
        {
            output.Write(":\n\n"u8);
            return;
        }

        output.Write("data: "u8);
        output.Write(state);
        output.Write("\n\n"u8);
    }
}
