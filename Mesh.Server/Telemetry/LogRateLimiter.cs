namespace Mesh.Server.Telemetry;

/// <summary>
/// Limits the number of log lines per second, so that clients and peers cannot flood the log. The first line after a suppression is preceded by the number of
/// suppressed lines.
/// </summary>
/// <param name="level">The level of the line with the number of suppressed lines. It is the level of the limited lines.</param>
internal sealed partial class LogRateLimiter(ILogger logger, TimeProvider time, int linesPerSecond = 10, LogLevel level = LogLevel.Warning)
{
    private readonly Lock _lock = new();
    private long _secondBegan = time.GetTimestamp();
    private int _lines;
    private int _leftOut;

    /// <summary>Returns true when the caller may write a line now, and counts it. Safe for use by several threads.</summary>
    public bool TryAcquire()
    {
        int leftOut;
        lock (_lock)
        {
            if (time.GetElapsedTime(_secondBegan) >= TimeSpan.FromSeconds(1))
            {
                _secondBegan = time.GetTimestamp();
                _lines = 0;
            }

            if (_lines >= linesPerSecond)
            {
                _leftOut++;
                return false;
            }

            _lines++;
            (leftOut, _leftOut) = (_leftOut, 0);
        }

        if (leftOut > 0)
        {
            LogSuppressed(level, leftOut);
        }

        return true;
    }

    [LoggerMessage(EventId = 3901, Message = "{LeftOut} lines like the next one were suppressed.")]
    private partial void LogSuppressed(LogLevel level, int leftOut);
}
