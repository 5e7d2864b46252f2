using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Owner: workers that a borrower released together; RELEASE_COMPLETED names those that came home in time.</summary>
internal sealed class ReleaseBatch(ServerId borrower, DateTimeOffset deadline)
{
    public ServerId Borrower { get; } = borrower;

    public DateTimeOffset Deadline { get; } = deadline;

    public HashSet<WorkerId> Pending { get; } = [];

    public List<WorkerId> Came { get; } = [];
}
