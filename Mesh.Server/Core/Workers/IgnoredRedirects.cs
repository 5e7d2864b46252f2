namespace Mesh.Server.Core;

/// <summary>How often a worker was sent to a borrower and asked at home again all the same, and until when it is not lent any more. Immutable.</summary>
internal readonly record struct IgnoredRedirects(int Count, DateTimeOffset NotLentUntil)
{
    /// <summary>A worker that is back within this time after its REDIRECT has not worked for the borrower.</summary>
    public static readonly TimeSpan EarlyReturnWindow = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>It has ignored one more: the time in which it is not lent doubles.</summary>
    public IgnoredRedirects Increment(DateTimeOffset now)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(Count, 16));
        return new IgnoredRedirects(Count + 1, now + (pause < LongestPause ? pause : LongestPause));
    }
}
