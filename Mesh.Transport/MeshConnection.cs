using System.Diagnostics;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>
/// A connection that carries messages. One caller receives. Any thread may send. Sent messages are queued in a bounded outbox, and one loop writes all queued messages at once.
/// Ends only by <see cref="CloseAsync"/> or <see cref="Abort"/>: after the end of the receiving side it may still send.
/// </summary>
public abstract class MeshConnection : IAsyncDisposable
{
    // Queued messages are written in parts of about this size, so that a long outbox does not need one large buffer.
    private const int WriteBytes = 32 * 1024;

    private readonly MeshConnectionOptions _options;
    private readonly Channel<MeshMessage> _outbox;
    private readonly SemaphoreSlim _receiving = new(1, 1);
    private readonly TaskCompletionSource<CloseReason> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _ending = new();
    private readonly Func<bool>? _resetProbe;
    private Task _sending = Task.CompletedTask;
    private int _reason;
    private long _incompleteSince;
    private long _writingSince;
    private bool _aborted;
    private bool _ownsReceiving;
    private volatile bool _receiveClosed;
    private volatile bool _wasReset;

    private protected MeshConnection(Framing framing, string remoteAddress, MeshConnectionOptions options, Func<bool>? resetProbe)
    {
        _resetProbe = resetProbe;
        Framing = framing;
        RemoteAddress = remoteAddress;
        _options = options;
        _outbox = Channel.CreateBounded<MeshMessage>(new BoundedChannelOptions(options.OutboxCapacity * MeshConnectionOptions.OutboxBurstFactor) { SingleReader = true });
    }

    public Framing Framing { get; }

    /// <summary>The peer's address, for logs.</summary>
    public string RemoteAddress { get; }

    /// <summary>Completes with the first reason when the connection is closed and none of its tasks runs any more.</summary>
    public Task<CloseReason> Closed => _closed.Task;

    /// <summary>The time that a part of a message has been waiting for the rest. Zero when there is none. Can be read on any thread.</summary>
    public TimeSpan PartialMessageAge => Volatile.Read(ref _incompleteSince) is not 0 and var since ? _options.TimeProvider.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>Whether this side or the peer has begun to end the connection.</summary>
    public bool IsClosing => Reason != 0;

    /// <summary>
    /// Whether the peer has reset the connection. After the peer has closed its sending side, a receive does not report a reset any more, so this property checks the transport, if it
    /// supports that. Must not be read after <see cref="Closed"/>.
    /// </summary>
    public bool IsReset => _wasReset || Reason == CloseReason.Reset || (_wasReset = _resetProbe?.Invoke() == true);

    private protected int MaxMessageBytes => _options.MaxMessageBytes;

    private protected CloseReason Reason => (CloseReason)Volatile.Read(ref _reason);

    /// <summary>
    /// Receives the next message, bad input, or the end of the connection. Only one call at a time. After a canceled call the connection can only be closed.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<Received> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (!_receiveClosed && _receiving.Wait(0, CancellationToken.None))
        {
            return ReceiveAndReleaseAsync(cancellationToken);
        }

        // A close takes over the receiving side to receive the peer's end.
        return Reason != 0 ? new(Received.End(Reason)) : throw new InvalidOperationException("Another receive is in progress");
    }

    /// <summary>Queues a message. Does not block. Returns false when the connection is closed or its outbox is full. The caller should then abort the connection.</summary>
    public bool TrySend(MeshMessage message) => !IsOutboxStalled && _outbox.Writer.TryWrite(message);

    /// <summary>True when the outbox is full and the peer reads none of it.</summary>
    private bool IsOutboxStalled => Volatile.Read(ref _writingSince) is not 0 and var since
        && _options.TimeProvider.GetElapsedTime(since) >= _options.OutboxStallTimeout && _outbox.Reader.Count >= _options.OutboxCapacity;

    /// <summary>
    /// Sends the queued messages, ends the connection gracefully and releases it. Aborts the connection when this takes longer than <see cref="MeshConnectionOptions.CloseTimeout"/>.
    /// </summary>
    public async ValueTask CloseAsync(CloseReason reason)
    {
        TrySetReason(reason);
        _outbox.Writer.TryComplete();
        try
        {
            await _sending.WaitAsync(_options.CloseTimeout, _options.TimeProvider);
        }
        catch (TimeoutException)
        {
            Abort(CloseReason.Timeout);
            await _sending;
        }
    }

    /// <summary>Ends the connection at once. Queued messages are lost. <see cref="Closed"/> completes when the connection has ended.</summary>
    public void Abort(CloseReason reason)
    {
        TrySetReason(reason);
        _outbox.Writer.TryComplete();
        lock (_ending)
        {
            // After the release, the transport may be gone or used by another connection.
            if (!_aborted)
            {
                _aborted = true;
                AbortTransport();
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return CloseAsync(CloseReason.Done);
    }

    /// <summary>Starts the connection. The derived class calls it last in its constructor.</summary>
    private protected void Start()
    {
        using (ExecutionContext.SuppressFlow())
        {
            _sending = Task.Run(SendAllAsync);
        }
    }

    /// <summary>Records whether the input ends with a part of a message.</summary>
    private protected void TrackPartialMessage(bool incomplete)
    {
        if (incomplete != (_incompleteSince != 0))
        {
            Volatile.Write(ref _incompleteSince, incomplete ? Math.Max(1, _options.TimeProvider.GetTimestamp()) : 0);
        }
    }

    private protected void TrySetReason(CloseReason reason) => Interlocked.CompareExchange(ref _reason, (int)reason, 0);

    /// <summary>Ends the receiving side with a reason, unless it has ended before.</summary>
    private protected Received End(CloseReason reason)
    {
        TrySetReason(reason);
        return Received.End(Reason);
    }

    /// <summary>Returns whether a receive failed because the connection is lost, and not because its caller canceled it.</summary>
    private protected static bool IsConnectionLoss(Exception exception, CancellationToken cancellationToken) =>
        IsConnectionLoss(exception) && !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested);

    /// <summary>Returns the reason of a failed receive. After a reset, the peer has not read all sent messages. After another loss this is not known.</summary>
    private protected CloseReason GetCloseReason(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown })
            {
                return CloseReason.Reset;
            }
        }

        return IsReset ? CloseReason.Reset : CloseReason.Lost;
    }

    /// <summary>Returns whether a transport throws this exception when the connection is lost. All other exceptions are bugs.</summary>
    private static bool IsConnectionLoss(Exception exception) =>
        exception is IOException or SocketException or WebSocketException or ObjectDisposedException or OperationCanceledException;

    /// <summary>Waits for the receive that is in progress, if any. After this call, only the connection itself can receive.</summary>
    private protected async Task AcquireReceiveAsync()
    {
        await _receiving.WaitAsync();
        _ownsReceiving = true;
    }

    private protected abstract ValueTask<Received> ReceiveCoreAsync(CancellationToken cancellationToken);

    /// <summary>Appends one message to those that the next flush writes. Returns its length in bytes.</summary>
    private protected abstract int Append(MeshMessage message);

    private protected abstract ValueTask FlushAsync();

    /// <summary>Called after the last flush of a graceful close. Informs the peer of the end.</summary>
    private protected abstract Task FinishAsync();

    /// <summary>Makes all pending and later reads and writes fail. Called on any thread, at most once, and never after <see cref="Release"/>.</summary>
    private protected abstract void AbortTransport();

    /// <summary>Ends a pending read when a graceful close does not end it.</summary>
    private protected abstract void CancelPendingReceive();

    /// <summary>The last step of every close. Called when no read and no write is in progress.</summary>
    private protected abstract void Release(bool gracefully);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Received> ReceiveAndReleaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReceiveCoreAsync(cancellationToken);
        }
        finally
        {
            _receiving.Release();
        }
    }

    private async Task SendAllAsync()
    {
        Activity.Current = null;
        try
        {
            while (await _outbox.Reader.WaitToReadAsync())
            {
                await SendBatchAsync();
            }

            await FinishAsync();
        }
        catch (Exception exception)
        {
            Abort(CloseReason.Reset);
            if (!IsConnectionLoss(exception))
            {
                throw;
            }
        }
        finally
        {
            await EndAsync();
        }
    }

    private async Task EndAsync()
    {
        // Ends a receive that is still in progress after a graceful close. A receive that begins later finds the connection closed.
        if (!_ownsReceiving)
        {
            _receiveClosed = true;
            CancelPendingReceive();
            await AcquireReceiveAsync();
        }

        bool gracefully;
        lock (_ending)
        {
            gracefully = !_aborted;
            _aborted = true;
        }

        Release(gracefully);
        _closed.TrySetResult(Reason);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendBatchAsync()
    {
        var bytes = 0;
        while (_outbox.Reader.TryRead(out var message))
        {
            bytes += Append(message);
            if (bytes >= WriteBytes)
            {
                await WriteAsync();
                bytes = 0;
            }
        }

        await WriteAsync();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync()
    {
        Volatile.Write(ref _writingSince, Math.Max(1, _options.TimeProvider.GetTimestamp()));
        await FlushAsync();
        Volatile.Write(ref _writingSince, 0);
    }
}
