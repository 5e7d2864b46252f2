using Polly;
using Polly.Retry;

namespace Mesh.Resilience;

/// <summary>For what must succeed in the end, and can wait: an outage is no failure.</summary>
public static class UnlimitedRetry
{
    /// <summary>Tries until it succeeds or is cancelled, after a delay that doubles each time.</summary>
    /// <param name="first">The delay after the first failure.</param>
    /// <param name="longest">No delay is longer.</param>
    /// <param name="passes">Whether a failure may pass by itself; any other ends the attempt.</param>
    /// <param name="onFailure">Told the number of failures before, and each that may pass.</param>
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
