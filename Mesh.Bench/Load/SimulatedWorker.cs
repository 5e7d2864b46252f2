using Mesh.Bench.CommandLine;
using Mesh.Protocol;
using Mesh.Transport;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Bench.Load;

/// <summary>A worker whose tasks take no time. It sends the status and the next get_task together.</summary>
/// <param name="slots">The number of tasks at a time.</param>
internal sealed class SimulatedWorker(WorkerId id, int slots, MeshConnection connection, TaskTimes times)
{
    private readonly Queue<int?> _unacknowledged = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var ask = new GetTask(id) { Tasks = TaskTypeSet.Of(TaskType.Query, TaskType.Update) };
        for (var slot = 0; slot < slots; slot++)
        {
            Send(ask);
        }

        while (true)
        {
            var received = await connection.ReceiveAsync(cancellationToken);
            switch (received.Kind)
            {
                case ReceiveResultKind.Message:
                    Take(received.Message!, ask);
                    break;
                case ReceiveResultKind.Error:
                    throw new BenchException($"{id} received an invalid message: {received.Error}");
                case ReceiveResultKind.End:
                    throw new BenchException($"{id} lost its connection: {received.EndReason}");
                default:
                    throw new InvalidOperationException($"Unknown {received.Kind}.");
            }
        }
    }

    private void Take(MeshMessage message, GetTask ask)
    {
        switch (message)
        {
            case NewTask task:
                var number = times.TaskOf(task.User!);
                if (number is { } known)
                {
                    times.SetReceived(known);
                }

                _unacknowledged.Enqueue(number);
                Send(new TaskStatus(TaskOutcome.Ok, task.Type, id) { Id = task.Id, Result = RawJson.Of(0) });
                Send(ask);
                break;
            case Ack:
                if (_unacknowledged.TryDequeue(out var settled) && settled is { } done)
                {
                    times.SetAcknowledged(done);
                }

                break;
            case NoTask:
                Send(ask);
                break;
            case Rejection refused:
                throw new BenchException($"{id} was rejected: {refused.Error}");
            case Redirect or Return:
                throw new BenchException($"The server redirects {id} to a peer. Measure a server without peers");
            default:
                throw new BenchException($"{id} received an unexpected {message.GetType().Name}");
        }
    }

    private void Send(MeshMessage message)
    {
        if (!connection.TrySend(message))
        {
            throw new BenchException($"{id} cannot send: its outbox is full");
        }
    }
}
