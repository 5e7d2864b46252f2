namespace Mesh.Server.Core;

/// <summary>How many of everything that can grow a core holds.</summary>
/// <param name="Tasks">Unsettled tasks.</param>
/// <param name="QueueEntries">Places in the queues, void ones too.</param>
/// <param name="PendingPolls">Held get_tasks.</param>
/// <param name="Sessions">Connections with workers bound to them.</param>
/// <param name="TaskSessions">Connections that tasks were sent on.</param>
internal sealed record CoreFootprint(
    int Tasks, int QueueEntries, int InvalidationRetries, int Workers, int PendingPolls, int Sessions, int TaskSessions, int Loans, int ReleaseRequests, int ReleaseBatches);
