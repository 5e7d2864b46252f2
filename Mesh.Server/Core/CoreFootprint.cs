namespace Mesh.Server.Core;

/// <summary>How many of everything that can grow a core holds.</summary>
/// <param name="Tasks">Unsettled tasks.</param>
/// <param name="QueuePlaces">Places in the queues, void ones too.</param>
/// <param name="Asks">Held get_tasks.</param>
/// <param name="Sessions">Connections with workers bound to them.</param>
/// <param name="TaskSessions">Connections that tasks were sent on.</param>
internal sealed record CoreFootprint(
    int Tasks, int QueuePlaces, int VoidRetries, int Workers, int Asks, int Sessions, int TaskSessions, int Loans, int ReleaseRuns, int ReleaseBatches);
