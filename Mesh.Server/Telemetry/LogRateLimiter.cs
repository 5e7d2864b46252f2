namespace Mesh.Server.Telemetry;

/// <summary>
/// Bounds what strangers can make the server write: so many lines in a second, and then one that counts those that were left out.
/// </summary>
/// <param name="level">That of the line that counts: that of those it counts.</param>
internal sealed partial class LogRateLimiter(ILogger logger, TimeProvider time, int linesPerSecond = 10, LogLevel level = LogLevel.Warning)
{
    private readonly Lock _lock = new();
    private long _secondBegan = time.GetTimestamp();
    private int _lines;
    private int _leftOut;

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

    [LoggerMessage(EventId = 3901, Message = "{LeftOut} lines such as the next were left out.")]
    private partial void LogSuppressed(LogLevel level, int leftOut);
}
