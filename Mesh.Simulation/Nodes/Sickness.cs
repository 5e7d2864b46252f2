namespace Mesh.Simulation;

/// <summary>What is wrong with a worker, until all is mended.</summary>
internal enum Sickness : byte
{
    None = 0,

    /// <summary>It reports each task as failed, at once.</summary>
    FailsAtOnce,

    /// <summary>It takes tasks and never reports one.</summary>
    NeverAnswers,
}
