using System.Diagnostics;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Mesh.Protocol;

namespace Mesh.Transport;

/// <summary>
/// A connection that carries messages. One caller receives; any thread may send. All sending goes through a bounded outbox to one loop, which
/// writes whatever has gathered there at once. Ends by <see cref="CloseAsync"/> or <see cref="Abort"/>, and only by them: a connection whose
/// receiving side has ended may still send.
/// </summary>
public abstract class MeshConnection : IAsyncDisposable
{
    // What gathers is written in pieces of about this size, so that a long outbox does not become one large buffer.
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

    /// <summary>Done once the connection is closed and nothing of it runs any more, with the first cause.</summary>
    public Task<CloseReason> Closed => _closed.Task;

    /// <summary>How long a part of a message has been waiting for the rest of it; zero when none does. On any thread.</summary>
    public TimeSpan PartialMessageAge => Volatile.Read(ref _incompleteSince) is not 0 and var since ? _options.TimeProvider.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>Whether either side has begun to end it.</summary>
    public bool IsClosing => Reason != 0;

    /// <summary>
    /// Whether the peer has reset the connection. After the peer's orderly end nothing is received any more that would tell, so this asks the transport, where it can.
    /// Not after <see cref="Closed"/>.
    /// </summary>
    public bool IsReset => _wasReset || Reason == CloseReason.Reset || (_wasReset = _resetProbe?.Invoke() == true);

    private protected int MaxMessageBytes => _options.MaxMessageBytes;

    private protected CloseReason Reason => (CloseReason)Volatile.Read(ref _reason);

    /// <summary>
    /// The next message, bad input, or the end. One call at a time. Cancelling it leaves the connection good for nothing but to be closed.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<Received> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (!_receiveClosed && _receiving.Wait(0, CancellationToken.None))
        {
            return ReceiveAndReleaseAsync(cancellationToken);
        }

        // A connection that closes takes over the receiving side, to see the peer's end.
        return Reason != 0 ? new(Received.End(Reason)) : throw new InvalidOperationException("Another receive is under way");
    }

    /// <summary>Queues a message. Never blocks. False when the connection is closed or its outbox full: a peer that takes this little is best aborted.</summary>
    public bool TrySend(MeshMessage message) => !IsOutboxStalled && _outbox.Writer.TryWrite(message);

    /// <summary>The outbox is full, and the peer takes nothing of it.</summary>
    private bool IsOutboxStalled => Volatile.Read(ref _writingSince) is not 0 and var since
        && _options.TimeProvider.GetElapsedTime(since) >= _options.OutboxStallTimeout && _outbox.Reader.Count >= _options.OutboxCapacity;

    /// <summary>Sends what is queued, says goodbye, and frees the connection; aborts if that takes longer than <see cref="MeshConnectionOptions.CloseTimeout"/>.</summary>
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

    /// <summary>Ends the connection now; what is queued is lost. <see cref="Closed"/> tells when that is done.</summary>
    public void Abort(CloseReason reason)
    {
        TrySetReason(reason);
        _outbox.Writer.TryComplete();
        lock (_ending)
        {
            // What carried the connection may be gone, or another's, once it is released.
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

    /// <summary>Call last in the constructor.</summary>
    private protected void Start()
    {
        using (ExecutionContext.SuppressFlow())
        {
            _sending = Task.Run(SendAllAsync);
        }
    }

    /// <summary>What was received last: part of a message, or the end of one.</summary>
    private protected void TrackPartialMessage(bool incomplete)
    {
        if (incomplete != (_incompleteSince != 0))
        {
            Volatile.Write(ref _incompleteSince, incomplete ? Math.Max(1, _options.TimeProvider.GetTimestamp()) : 0);
        }
    }

    private protected void TrySetReason(CloseReason reason) => Interlocked.CompareExchange(ref _reason, (int)reason, 0);

    /// <summary>The end of the receiving side, for this reason unless there was one before.</summary>
    private protected Received End(CloseReason reason)
    {
        TrySetReason(reason);
        return Received.End(Reason);
    }

    /// <summary>Whether a receive failed because the connection is gone, and not because its caller cancelled it.</summary>
    private protected static bool IsConnectionLoss(Exception exception, CancellationToken cancellationToken) =>
        IsConnectionLoss(exception) && !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested);

    /// <summary>Why a receive failed: a reset tells that the peer has not read all that was sent, another loss does not.</summary>
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

    /// <summary>What a transport throws when the connection is gone. All else is a bug.</summary>
    private static bool IsConnectionLoss(Exception exception) =>
        exception is IOException or SocketException or WebSocketException or ObjectDisposedException or OperationCanceledException;

    /// <summary>Waits for the receive that is under way, if any. From here on none begins but what the connection does itself.</summary>
    private protected async Task AcquireReceiveAsync()
    {
        await _receiving.WaitAsync();
        _ownsReceiving = true;
    }

    private protected abstract ValueTask<Received> ReceiveCoreAsync(CancellationToken cancellationToken);

    /// <summary>Puts one message behind those that the next flush will write. Returns its bytes.</summary>
    private protected abstract int Append(MeshMessage message);

    private protected abstract ValueTask FlushAsync();

    /// <summary>After the last flush of a graceful close: tells the peer.</summary>
    private protected abstract Task FinishAsync();

    /// <summary>Makes pending and later reads and writes fail. On any thread, at most once, never after the release.</summary>
    private protected abstract void AbortTransport();

    /// <summary>Makes a pending read come back where closing gracefully does not.</summary>
    private protected abstract void CancelPendingReceive();

    /// <summary>The last step of every ending, once no read and no write is under way.</summary>
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
        // A receive that is still under way after a graceful close comes back; one that begins now finds it over.
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
