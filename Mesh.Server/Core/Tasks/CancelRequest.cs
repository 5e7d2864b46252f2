namespace Mesh.Server.Core.Tasks;

/// <summary>The outcome of a <see cref="CancelRequest"/>.</summary>
internal enum CancelOutcome : byte
{
    /// <summary>The task is settled as cancelled, or the dead letter is deleted. Both are stored.</summary>
    Cancelled = 1,

    /// <summary>The task runs. No attempt follows the running one, and its worker is told with its next RUNNING. This is stored.</summary>
    Requested,

    /// <summary>The core has no unsettled task with the id. The task may be settled.</summary>
    NotUnsettled,

    /// <summary>The store is unavailable. Nothing was changed.</summary>
    StoreUnavailable,

    /// <summary>The write failed, or this server does not serve the task any more. The task may or may not be cancelled.</summary>
    Unknown,

    /// <summary>This server is stopping. Nothing was changed.</summary>
    Stopping,
}

/// <summary>A request of a client to cancel a task or to delete a dead letter.</summary>
/// <param name="id">The client id of the task.</param>
internal class CancelRequest(string id)
{
    public string Id { get; } = id;

    /// <summary>The dead letter with this id that the caller found in the store, or null. It is deleted when no unsettled task has the id.</summary>
    public TaskRecord? DeadLetter { get; init; }

    /// <summary>The unsettled task that the request concerns, or null. Set by the core.</summary>
    public TaskRecord? Task { get; set; }
}
