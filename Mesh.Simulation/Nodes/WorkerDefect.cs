namespace Mesh.Simulation.Nodes;

/// <summary>The fault of a worker until the end of the faults.</summary>
internal enum WorkerDefect : byte
{
    None = 0,

    /// <summary>It reports each task as failed at once.</summary>
    FailsImmediately,

    /// <summary>It accepts tasks and never reports one.</summary>
    NeverReports,
}
