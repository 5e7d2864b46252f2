using Mesh.Accounts;
using Mesh.Resilience;
using Polly;

namespace Mesh.Worker.Handlers;

/// <summary>
/// Waits out a store that is away. A NOK would cost the task an attempt, and an outage of seconds would make dead letters of a whole queue;
/// so the task is held, and tried again, until the store is back or the task is cancelled. If its lease runs out meanwhile
/// the server gives it to another worker, and the ledger still counts it once.
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
            // Once per outage, not once per task.
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

    [LoggerMessage(EventId = 8201, Level = LogLevel.Warning, Message = "The accounts are out of reach, tasks wait for them: {Fault}")]
    private partial void LogLedgerUnavailable(string fault);

    [LoggerMessage(EventId = 8202, Level = LogLevel.Information, Message = "The accounts are back")]
    private partial void LogLedgerAvailable();
}
