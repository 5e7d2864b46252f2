namespace Mesh.Server.Telemetry;

/// <summary>
/// Bounds what strangers can make the server write: so many lines in a second, and then one that counts those that were left out.
/// </summary>
internal sealed class LogPace(TimeProvider time, int linesPerSecond = 10)
{
    private readonly Lock _lock = new();
    private long _secondBegan = time.GetTimestamp();
    private int _lines;
    private int _leftOut;

    /// <param name="leftOut">Lines that were left out before this one, since the last that was not.</param>
    public bool MayWrite(out int leftOut)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_secondBegan) >= TimeSpan.FromSeconds(1))
            {
                _secondBegan = time.GetTimestamp();
                _lines = 0;
            }

            leftOut = 0;
            if (_lines >= linesPerSecond)
            {
                _leftOut++;
                return false;
            }

            _lines++;
            (leftOut, _leftOut) = (_leftOut, 0);
            return true;
        }
    }
}
