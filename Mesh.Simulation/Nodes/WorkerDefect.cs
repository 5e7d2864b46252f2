namespace Mesh.Simulation;

/// <summary>What is wrong with a worker, until all is mended.</summary>
internal enum WorkerDefect : byte
{
    None = 0,

    /// <summary>It reports each task as failed, at once.</summary>
    FailsImmediately,

    /// <summary>It takes tasks and never reports one.</summary>
    NeverReports,
}
