using Mesh.Transport;

namespace Mesh.Server.Core;

/// <summary>How often a worker was sent to a borrower and asked at home again all the same, and until when it is not lent any more. Immutable.</summary>
internal readonly record struct IgnoredRedirects(int Count, DateTimeOffset NotLentUntil)
{
    /// <summary>A worker that is back within this time after its REDIRECT has not worked for the borrower.</summary>
    public static readonly TimeSpan EarlyReturnWindow = TimeSpan.FromSeconds(20);

    private static readonly Backoff Pauses = new(TimeSpan.FromSeconds(30), TimeSpan.FromHours(1));

    /// <summary>It has ignored one more: the time in which it is not lent doubles.</summary>
    public IgnoredRedirects Increment(DateTimeOffset now) => new(Count + 1, now + Pauses.Delay(Count + 1));
}
