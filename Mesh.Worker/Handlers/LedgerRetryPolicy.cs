using Mesh.Accounts;
using MeshAspire.ServiceDefaults;
using Polly;

namespace Mesh.Worker.Handlers;

/// <summary>
/// Retries calls of the ledger while its store is unavailable, until the call succeeds or the task is cancelled. A NOK would count as an attempt, so that an outage of a few
/// seconds would move a whole queue to the dead letters. When the lease of the task expires meanwhile, the server gives the task to another worker, and the ledger applies it once.
/// </summary>
internal sealed partial class LedgerRetryPolicy
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly ILogger<LedgerRetryPolicy> _logger;
    private readonly ResiliencePipeline _retry;
    private int _unavailable;

    public LedgerRetryPolicy(TimeProvider time, ILogger<LedgerRetryPolicy> logger)
    {
        _logger = logger;
        _retry = UnlimitedRetry.Create(time, FirstWait, LongestWait, RedisErrorClassifier.IsStoreUnavailable, (_, fault) =>
        {
            // An outage is logged once, not for each task.
            if (Interlocked.Exchange(ref _unavailable, 1) == 0)
            {
                LogLedgerUnavailable(fault.Message);
            }
        });
    }

    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<T> ExecuteAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellation)
    {
        var result = await _retry.ExecuteAsync(call, cancellation);
        if (Volatile.Read(ref _unavailable) == 1 && Interlocked.Exchange(ref _unavailable, 0) == 1)
        {
            LogLedgerAvailable();
        }

        return result;
    }

    [LoggerMessage(EventId = 8201, Level = LogLevel.Warning, Message = "The accounts are unavailable, tasks wait for them: {Fault}")]
    private partial void LogLedgerUnavailable(string fault);

    [LoggerMessage(EventId = 8202, Level = LogLevel.Information, Message = "The accounts are available again")]
    private partial void LogLedgerAvailable();
}
