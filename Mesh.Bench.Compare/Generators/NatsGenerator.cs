using System.Globalization;
using System.Text;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Mesh.Bench.Compare.Generators;

/// <summary>Publishes to a work queue of JetStream, and consumes it on many connections. Each message is acknowledged, and the server confirms the acknowledgement.</summary>
internal sealed class NatsGenerator(Workload load) : IGenerator
{
    private const string Stream = "tasks";
    private const string Consumer = "workers";
    private static readonly AckOpts Confirmed = new() { DoubleAck = true };

    private readonly List<NatsConnection> _connections = [];
    private readonly List<Task> _working = [];
    private readonly CancellationTokenSource _end = new();
    private NatsJSContext? _publisher;
    private int _completed;

    public int Completed => Volatile.Read(ref _completed);

    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        _publisher = await ConnectionAsync();
        await _publisher.CreateStreamAsync(
            new StreamConfig(Stream, [Stream]) { Retention = StreamConfigRetention.Workqueue, Storage = StreamConfigStorage.File }, cancellationToken);
        await _publisher.CreateOrUpdateConsumerAsync(Stream, new ConsumerConfig(Consumer) { AckPolicy = ConsumerConfigAckPolicy.Explicit, MaxAckPending = -1 }, cancellationToken);
        for (var i = 0; i < load.Connections; i++)
        {
            var consumer = await (await ConnectionAsync()).GetConsumerAsync(Stream, Consumer, cancellationToken);
            _working.Add(WorkAsync(consumer));
        }
    }

    /// <summary>Publishes all messages of the batch before it waits for the first confirmation.</summary>
    public async Task SubmitAsync(int first, int count, CancellationToken cancellationToken)
    {
        var published = new List<NatsJSPublishConcurrentFuture>(count);
        for (var task = first; task < first + count; task++)
        {
            published.Add(await _publisher!.PublishConcurrentAsync(Stream, Encoding.ASCII.GetBytes($$"""{"user":"{{task.ToString(CultureInfo.InvariantCulture)}}"}"""), cancellationToken: cancellationToken));
        }

        foreach (var future in published)
        {
            (await future.GetResponseAsync(cancellationToken)).EnsureSuccess();
            await future.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_working);
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        _end.Dispose();
    }

    private async Task<NatsJSContext> ConnectionAsync()
    {
        var connection = new NatsConnection(new() { Url = string.Create(CultureInfo.InvariantCulture, $"nats://127.0.0.1:{load.Port}") });
        _connections.Add(connection);
        await connection.ConnectAsync();
        return new(connection);
    }

    private async Task WorkAsync(INatsJSConsumer consumer)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = load.Slots, CancellationToken = _end.Token };
        try
        {
            await Parallel.ForEachAsync(consumer.ConsumeAsync<byte[]>(cancellationToken: _end.Token), parallel, async (message, cancellationToken) =>
            {
                await message.AckAsync(Confirmed, cancellationToken);
                Interlocked.Increment(ref _completed);
            });
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The run has ended.
        }
    }
}
