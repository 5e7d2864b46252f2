using Mesh.Protocol;

namespace Mesh.Server.Core;

/// <summary>Owner: workers that a borrower released together; RELEASE_COMPLETED names those that came home in time.</summary>
internal sealed class ReleaseBatch(ServerId borrower, DateTimeOffset deadline)
{
    public ServerId Borrower { get; } = borrower;

    public DateTimeOffset Deadline { get; } = deadline;

    /// <summary>W3C context of the return.</summary>
    public string? TraceParent { get; init; }

    public HashSet<WorkerId> PendingWorkers { get; } = [];

    public List<WorkerId> ReturnedWorkers { get; } = [];
}
