using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Borrower: COMMAND_RELEASE to one owner, repeated until RELEASE_ACK or until the tries are used up.</summary>
internal sealed class ReleaseRequest(ServerId owner)
{
    public ServerId Owner { get; } = owner;

    public int Tries { get; set; }

    public bool IsInFlight { get; set; }

    public DateTimeOffset NextAttemptAt { get; set; }

    /// <summary>The delay after the given number of tries: doubled each time up to a limit.</summary>
    public static TimeSpan Delay(int tries, LoansOptions settings)
    {
        var delay = settings.ReleaseRetryDelay * Math.Pow(2, Math.Max(0, tries - 1));
        return delay < settings.ReleaseRetryMaxDelay ? delay : settings.ReleaseRetryMaxDelay;
    }
}
