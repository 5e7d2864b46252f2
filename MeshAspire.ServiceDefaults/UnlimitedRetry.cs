using Polly;
using Polly.Retry;

namespace MeshAspire.ServiceDefaults;

/// <summary>Creates retries for operations that must succeed in the end and can wait for the end of an outage.</summary>
public static class UnlimitedRetry
{
    /// <summary>Creates a pipeline that retries until the operation succeeds or is cancelled. Each delay is twice as long as the one before.</summary>
    /// <param name="first">The delay after the first failure.</param>
    /// <param name="longest">The longest delay.</param>
    /// <param name="passes">Returns whether an exception is transient. All others are thrown to the caller.</param>
    /// <param name="onFailure">Called for each transient exception, with the number of earlier ones.</param>
    public static ResiliencePipeline Create(TimeProvider time, TimeSpan first, TimeSpan longest, Func<Exception, bool> passes, Action<int, Exception> onFailure) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle(passes),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                Delay = first,
                MaxDelay = longest,
                OnRetry = retry =>
                {
                    onFailure(retry.AttemptNumber, retry.Outcome.Exception!);
                    return default;
                },
            })
            .Build();
}
