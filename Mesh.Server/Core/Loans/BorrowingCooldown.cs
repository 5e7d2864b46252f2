namespace Mesh.Server.Core;

/// <summary>
/// Keeps a server from borrowing for a while after an operator had it return its workers, so that a queue over the high mark does not fetch them back at once. Kept
/// in memory only.
/// </summary>
internal sealed class BorrowingCooldown(TaskRegistry tasks)
{
    /// <summary>
    /// The hold lasts at least so long, whatever the queue: twice the default of Mesh__Timing__ReplyTimeout, so that workers whose promise was on its way when the
    /// hold began are returned too.
    /// </summary>
    public static readonly TimeSpan MinDuration = TimeSpan.FromSeconds(10);

    /// <summary>The hold lasts at most so long, however long the queue stays over the high mark.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(1);

    private DateTimeOffset? _began;

    /// <summary>Begins a hold; one that is under way begins anew.</summary>
    public void Start(DateTimeOffset now) => _began = now;

    /// <summary>True from <see cref="Start"/> until the queue has been at or below the high mark once, within the limits above.</summary>
    public bool IsActive(DateTimeOffset now)
    {
        if (_began is { } began && now >= began + MinDuration && (now >= began + MaxDuration || !(tasks.AboveMaxThresholdSince <= began)))
        {
            _began = null;
        }

        return _began is not null;
    }
}
