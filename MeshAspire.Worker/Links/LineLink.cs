using Mesh.Common;
using Mesh.Protocol;
using Mesh.Transport;
using MeshAspire.Worker.Core;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace MeshAspire.Worker.Links;

/// <summary>Exchanges raw lines: each message and its reply use a connection of their own. The link is connected at once, because it has nothing to dial.</summary>
internal sealed class LineLink(
    int number,
    string server,
    Func<CancellationToken, ValueTask<MeshEndpoint>> find,
    LineExchange exchange,
    Func<WorkerInput, ValueTask> post,
    MessageLogger messages) : Link(number, post)
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Bounded by the core, which limits its polls and statuses.
    private readonly List<Task> _exchanges = [];

    public override void Send(MeshMessage message)
    {
        _exchanges.RemoveAll(running => running.IsCompleted);
        _exchanges.Add(ExchangeAsync(message));
    }

    public override async Task RunAsync()
    {
        await PostAsync(new WorkerInput.Connected(Number));
        await using (Closing.Register(() => _closed.TrySetResult()))
        {
            await _closed.Task;
        }

        await Task.WhenAll(_exchanges);
        await PostAsync(new WorkerInput.Disconnected(Number, nameof(CloseReason.Done)));
    }

    /// <summary>Posts the answer to a RUNNING. A server that was reached and did not answer gets the next RUNNING after the interval.</summary>
    private async ValueTask PostAnswerAsync(TaskStatus running, Received received)
    {
        switch (received)
        {
            case { Message: Ack ack }:
                await PostAsync(new WorkerInput.RunningAcknowledged(Number, running.Id!.Value, ack.Cancel));
                break;
            case { Message: Rejection rejection }:
                await PostAsync(new WorkerInput.RunningRejected(Number, rejection.Error));
                break;
            case { Kind: ReceiveResultKind.End, EndReason: CloseReason.Unreachable }:
                await PostAsync(new WorkerInput.ExchangeFailed(Number, running, received.ToString()));
                break;
            default:
                break;
        }
    }

    private async Task ExchangeAsync(MeshMessage message)
    {
        try
        {
            var endpoint = await find(Closing);
            var received = await exchange.RequestAsync(endpoint, message, LineExchange.DefaultTimeout, Closing);
            if (received is not { Kind: ReceiveResultKind.End, EndReason: CloseReason.Unreachable })
            {
                messages.Sent(message, server, Number);
            }

            if (received.Message is { } reply)
            {
                messages.Received(reply, server, Number);
            }

            if (message is TaskStatus { Outcome: TaskOutcome.Running } running)
            {
                await PostAnswerAsync(running, received);
                return;
            }

            await PostAsync((message, received.Message) switch
            {
                (GetTask, NewTask or NoTask or Redirect or Return or Rejection) => new WorkerInput.Received(Number, received.Message),
                // The connection identifies the status, so a peer may omit TASK_ID.
                (TaskStatus status, Ack ack) => new WorkerInput.Received(Number, ack with { Id = status.Id }),
                _ => new WorkerInput.ExchangeFailed(Number, message, received.ToString()),
            });
        }
        catch (MeshDialException fault)
        {
            await PostAsync(new WorkerInput.ExchangeFailed(Number, message, fault.Message));
        }
        catch (OperationCanceledException) when (Closing.IsCancellationRequested)
        {
            // The link is closed, and the core ignores its messages.
        }
        catch (Exception fault)
        {
            _closed.TrySetException(fault);
        }
    }
}
