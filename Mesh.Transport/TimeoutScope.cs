namespace Mesh.Transport;

/// <summary>Combines the cancellation token of a caller with a time limit.</summary>
internal sealed class TimeoutScope : IDisposable
{
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _both;
    private readonly CancellationToken _caller;

    public TimeoutScope(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        _caller = caller;
        _timeout = new CancellationTokenSource(limit, time);
        _both = CancellationTokenSource.CreateLinkedTokenSource(_timeout.Token, caller);
    }

    public CancellationToken Token => _both.Token;

    /// <summary>Returns whether an exception was caused by the time limit and not by the caller's token.</summary>
    public bool IsTimeout(Exception exception) => exception is OperationCanceledException && !_caller.IsCancellationRequested;

    public void Dispose()
    {
        _both.Dispose();
        _timeout.Dispose();
    }
}
