using Mesh.Protocol;

namespace Mesh.Simulation.Nodes;

/// <summary>The task types of the simulated workload.</summary>
internal static class WorkloadTypes
{
    /// <summary>A type without an account. Its tasks have a payload, and their results do not come from the ledger.</summary>
    public static readonly TaskType Report = new("REPORT");

    public static readonly TaskTypeSet All = TaskTypeSet.Of(TaskType.Query, TaskType.Update, Report);

    public static readonly TaskTypeSet WithoutReport = TaskTypeSet.Of(TaskType.Query, TaskType.Update);

    /// <summary>The sets from which a worker has one in lives with workers of different types.</summary>
    public static readonly IReadOnlyList<TaskTypeSet> Sets =
    [
        All, TaskTypeSet.Of(TaskType.Query), TaskTypeSet.Of(TaskType.Update), TaskTypeSet.Of(Report), TaskTypeSet.Of(TaskType.Query, Report), TaskTypeSet.Of(TaskType.Update, Report),
    ];
}
