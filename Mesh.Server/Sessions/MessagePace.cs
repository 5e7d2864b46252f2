namespace Mesh.Server.Sessions;

/// <summary>How many messages of one connection are read in a second.</summary>
internal sealed class MessagePace(int most, TimeProvider time)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private long _began = time.GetTimestamp();
    private int _read;

    /// <summary>Counts a message. How long to wait before the next one is read; zero as a rule.</summary>
    public TimeSpan Next()
    {
        if (++_read < most)
        {
            return TimeSpan.Zero;
        }

        var taken = time.GetElapsedTime(_began);
        var wait = taken < Second ? Second - taken : TimeSpan.Zero;
        _began = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        _read = 0;
        return wait;
    }
}
