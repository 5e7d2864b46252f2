using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Borrower: COMMAND_RELEASE to one owner, repeated until RELEASE_ACK or until the tries are used up.</summary>
internal sealed class ReleaseRequest(ServerId owner)
{
    public ServerId Owner { get; } = owner;

    public int Tries { get; set; }

    public bool IsInFlight { get; set; }

    public DateTimeOffset NextAttemptAt { get; set; }
}
