using Mesh.Common;
using Mesh.Protocol;
using Mesh.Transport;
using MeshAspire.Worker.Core;
using Microsoft.Extensions.Logging;

namespace MeshAspire.Worker.Links;

/// <summary>A link over one WebSocket connection.</summary>
internal sealed partial class WebSocketLink(
    int number,
    string server,
    Func<CancellationToken, ValueTask<MeshEndpoint>> find,
    MeshDialer dialer,
    Func<WorkerInput, ValueTask> post,
    MessageLogger messages,
    ILogger logger) : Link(number, post)
{
    private MeshConnection? _connection;

    public override void Send(MeshMessage message)
    {
        if (_connection!.TrySend(message))
        {
            messages.Sent(message, server, Number);
        }
        else
        {
            _connection.Abort(CloseReason.OutboxFull);
        }
    }

    public override async Task RunAsync()
    {
        try
        {
            _connection = await dialer.DialAsync(await find(Closing), Framing.WebSocket, Closing);
        }
        catch (MeshDialException fault)
        {
            await PostAsync(new WorkerInput.DialFailed(Number, fault.Failure == MeshDialFailure.NotWebSocket, fault.Message));
            return;
        }
        catch (OperationCanceledException) when (Closing.IsCancellationRequested)
        {
            await PostAsync(new WorkerInput.DialFailed(Number, SupportsOnlyLines: false, "cancelled"));
            return;
        }

        await PostAsync(new WorkerInput.Connected(Number));
        var reason = await ReceiveAllAsync(_connection);
        await PostAsync(new WorkerInput.Disconnected(Number, reason.ToString()));
    }

    private async Task<CloseReason> ReceiveAllAsync(MeshConnection connection)
    {
        // The connection is closed instead of cancelling the receive, which would abort the connection and lose queued messages.
        var closed = Task.CompletedTask;
        var closing = Closing.Register(() => closed = connection.CloseAsync(CloseReason.Done).AsTask());
        var end = CloseReason.Done;
        for (var going = true; going;)
        {
            var received = await connection.ReceiveAsync(CancellationToken.None);
            switch (received.Kind)
            {
                case ReceiveResultKind.Message:
                    messages.Received(received.Message!, server, Number);
                    await PostAsync(new WorkerInput.Received(Number, received.Message!));
                    break;
                case ReceiveResultKind.Error:
                    LogBadInput(connection.RemoteAddress, received.Error.ToString());
                    end = CloseReason.ProtocolError;
                    going = false;
                    break;
                case ReceiveResultKind.End:
                    end = received.EndReason;
                    going = false;
                    break;
                default:
                    throw new InvalidOperationException($"Received {received.Kind}.");
            }
        }

        await closing.DisposeAsync();
        await closed;
        await connection.CloseAsync(end);
        return await connection.Closed;
    }

    [LoggerMessage(EventId = 8101, Level = LogLevel.Warning, Message = "{Server} sent an invalid message: {Fault}")]
    private partial void LogBadInput(string server, string fault);
}
