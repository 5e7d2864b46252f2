namespace MeshAspire.Embedded.Running;

/// <summary>How long to wait before a process that ended is started again.</summary>
internal sealed class Backoff
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);

    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>A process that ran for so long was well: its end is a first one.</summary>
    public static readonly TimeSpan Stable = TimeSpan.FromSeconds(30);

    private int _failures;

    public TimeSpan Next(TimeSpan ran)
    {
        _failures = ran >= Stable ? 0 : _failures;
        var delay = First * Math.Pow(2, Math.Min(_failures++, 16));
        return delay < Longest ? delay : Longest;
    }
}
