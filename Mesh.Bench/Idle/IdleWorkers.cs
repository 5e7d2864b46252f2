using System.Collections.Concurrent;
using System.Diagnostics;
using Mesh.Bench.CommandLine;
using Mesh.Protocol;
using Mesh.Transport;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Bench.Idle;

/// <summary>Workers that connect and wait for a task. Disposing closes all of their connections.</summary>
internal sealed class IdleWorkers(MeasuredServer server, int workers) : IAsyncDisposable
{
    private const int MaxParallelDials = 64;

    private readonly ConcurrentBag<(MeshConnection Connection, Task Waiting)> _there = [];
    private readonly TaskCompletionSource<long> _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lost;

    /// <summary>Completes when a worker receives the first task, with the timestamp of <see cref="Stopwatch"/>.</summary>
    public Task<long> FirstTaskReceived => _taken.Task;

    /// <summary>The number of connections that have ended without a request.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <exception cref="MeshDialException">A worker could not connect.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken)
    {
        var dialer = server.CreateDialer();
        var options = new ParallelOptions { MaxDegreeOfParallelism = MaxParallelDials, CancellationToken = cancellationToken };
        return Parallel.ForAsync(0, workers, options, async (i, cancellation) =>
        {
            var connection = await dialer.DialAsync(server.Endpoint, Framing.WebSocket, cancellation);
            _there.Add((connection, WaitAsync(new WorkerId($"idle-{i}"), connection)));
        });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (connection, _) in _there)
        {
            connection.Abort(CloseReason.Done);
        }

        foreach (var (connection, waiting) in _there)
        {
            await waiting;
            await connection.Closed;
        }
    }

    private async Task WaitAsync(WorkerId id, MeshConnection connection)
    {
        var ask = new GetTask(id) { Tasks = TaskTypeSet.Of(TaskType.Query, TaskType.Update) };
        connection.TrySend(ask);
        while (true)
        {
            var received = await connection.ReceiveAsync(CancellationToken.None);
            switch (received.Message)
            {
                case NoTask or Ack:
                    connection.TrySend(ask);
                    break;
                case NewTask task:
                    _taken.TrySetResult(Stopwatch.GetTimestamp());
                    connection.TrySend(new TaskStatus(TaskOutcome.Ok, task.Type, id) { Id = task.Id, Result = RawJson.Of(0) });
                    break;
                default:
                    if (received.Kind != ReceiveResultKind.End || received.EndReason != CloseReason.Done)
                    {
                        Interlocked.Increment(ref _lost);
                    }

                    connection.Abort(CloseReason.Done);
                    return;
            }
        }
    }
}
