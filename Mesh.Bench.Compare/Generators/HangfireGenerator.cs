using System.Globalization;
using Hangfire;
using Hangfire.Common;
using Hangfire.Redis.StackExchange;
using Hangfire.States;
using StackExchange.Redis;

namespace Mesh.Bench.Compare.Generators;

/// <summary>
/// Creates jobs of Hangfire and runs its server. Its workers share one connection, as its storage is used. Hangfire has no batches of jobs, so each submitter creates the jobs of a batch one by one.
/// </summary>
internal sealed class HangfireGenerator : IGenerator
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly Workload _load;
    private readonly CancellationTokenSource _end = new();
    private ConnectionMultiplexer? _connection;
    private BackgroundJobClient? _client;
    private BackgroundJobServer? _server;
    private Task _counting = Task.CompletedTask;
    private int _completed;

    public HangfireGenerator(Workload load)
    {
        _load = load;

        // A submitter blocks a thread of the pool while it creates a job. The pool adds threads only slowly.
        ThreadPool.SetMinThreads(load.Submitters + Environment.ProcessorCount, Environment.ProcessorCount);
    }

    public int Completed => Volatile.Read(ref _completed);

    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        _connection = await ConnectionMultiplexer.ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_load.Port}"));
        var storage = new RedisStorage(_connection, new RedisStorageOptions());
        _client = new(storage);
        _server = new(new() { WorkerCount = _load.Connections * _load.Slots }, storage);
        _counting = CountAsync(storage);
    }

    public Task SubmitAsync(int first, int count, CancellationToken cancellationToken)
    {
        for (var task = first; task < first + count; task++)
        {
            var user = task.ToString(CultureInfo.InvariantCulture);
            _client!.Create(Job.FromExpression(() => EmptyJob.Run(user)), new EnqueuedState());
        }

        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _counting;
        _server?.Dispose();
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        _end.Dispose();
    }

    // A filter of Hangfire is called before the new state is stored. The counter in Redis is changed together with the state.
    private async Task CountAsync(RedisStorage storage)
    {
        var monitoring = storage.GetMonitoringApi();
        while (!_end.IsCancellationRequested)
        {
            Volatile.Write(ref _completed, (int)monitoring.GetStatistics().Succeeded);
            await Task.Delay(PollInterval, TimeProvider.System, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
