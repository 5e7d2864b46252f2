namespace Mesh.Server.Core;

/// <summary>When a failed task is tried again, by whom, and when it is given up. Pure functions.</summary>
internal static class RetryPolicy
{
    /// <summary>A task may come back so often without a counted attempt; further returns count, so that every task ends.</summary>
    public const int MaxReturns = 16;

    /// <summary>The rank of a worker that has not failed lately. The lower the rank of a worker, the rather it gets a retry.</summary>
    public const int BestRank = 0;

    /// <summary>The rank of a worker that has failed at this task; it gets the task again only while there is nobody else.</summary>
    public const int FailedBeforeRank = 2;

    /// <summary>How well a worker suits a task that has failed before: 0 is best.</summary>
    public static int Rank(in WorkerHealth health, bool hasFailedHere) =>
        health.IsSetAside ? 3 : hasFailedHere ? FailedBeforeRank : health.Failures > 0 ? 1 : BestRank;

    /// <summary>
    /// Whether a task that has just failed becomes a dead letter. The attempts of one worker alone do not make it one while another worker can take it, but for
    /// twice the limit, so that every task ends.
    /// </summary>
    /// <param name="workers">How many workers have failed at it.</param>
    /// <param name="othersCanTake">Whether a worker is here that has not failed at it.</param>
    public static bool IsExhausted(int attempts, int maxAttempts, int workers, bool othersCanTake) =>
        attempts >= maxAttempts && (maxAttempts == 1 || workers > 1 || !othersCanTake || attempts >= 2 * maxAttempts);
}
