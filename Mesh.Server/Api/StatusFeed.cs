using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using Mesh.Server.Loop;

namespace Mesh.Server.Api;

/// <summary>
/// Publishes the status as JSON to its subscribers when it has changed, at most four times a second, and less often when it is large, so that the feed takes at most a tenth of the time. The
/// status is read only while there are subscribers.
/// A slow subscriber misses intermediate states, but always receives the last one.
/// </summary>
internal sealed class StatusFeed(CoreInputQueue inputs, TimeProvider time) : BackgroundService
{
    /// <summary>The time from one status to the next is at least this many times the time that reading it takes.</summary>
    private const int IntervalPerRead = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly List<Channel<byte[]>> _listeners = [];
    private readonly SemaphoreSlim _wanted = new(0, 1);

    /// <summary>Returns a channel that receives each new state until <see cref="Unsubscribe"/> is called.</summary>
    public Channel<byte[]> Subscribe()
    {
        var listener = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock)
        {
            _listeners.Add(listener);
            if (_listeners.Count == 1 && _wanted.CurrentCount == 0)
            {
                _wanted.Release();
            }
        }

        return listener;
    }

    public void Unsubscribe(Channel<byte[]> listener)
    {
        lock (_lock)
        {
            _listeners.Remove(listener);
        }
    }

    public override void Dispose()
    {
        _wanted.Dispose();
        base.Dispose();
    }

    /// <summary>Reads the current status.</summary>
    /// <exception cref="LoopStoppedException">The server has stopped.</exception>
    public async Task<byte[]> ReadAsync() =>
        JsonSerializer.SerializeToUtf8Bytes(StatusResponse.Of(await inputs.QueryAsync(core => core.GetStatus())), ApiJson.Default.StatusResponse);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Activity.Current = null;
        try
        {
            while (true)
            {
                await _wanted.WaitAsync(stoppingToken);
                await PublishWhileSubscribedAsync(stoppingToken);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or LoopStoppedException)
        {
            // The server stops.
        }
    }

    private async Task PublishWhileSubscribedAsync(CancellationToken stoppingToken)
    {
        byte[] last = [];
        while (Listeners() is { Length: > 0 } listeners)
        {
            var started = time.GetTimestamp();
            var state = await ReadAsync();
            var pause = IntervalPerRead * time.GetElapsedTime(started);
            if (!state.AsSpan().SequenceEqual(last))
            {
                last = state;
                foreach (var listener in listeners)
                {
                    listener.Writer.TryWrite(state);
                }
            }

            await Task.Delay(pause > Interval ? pause : Interval, time, stoppingToken);
        }
    }

    private Channel<byte[]>[] Listeners()
    {
        lock (_lock)
        {
            return [.. _listeners];
        }
    }
}
