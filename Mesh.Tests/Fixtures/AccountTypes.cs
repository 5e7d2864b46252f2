using Mesh.Protocol;

namespace Mesh.Tests.Fixtures;

/// <summary>The sets of the reference task types.</summary>
internal static class AccountTypes
{
    public static readonly TaskTypeSet All = TaskTypeSet.Of(TaskType.Query, TaskType.Update);
    public static readonly TaskTypeSet Query = TaskTypeSet.QueryOnly;
    public static readonly TaskTypeSet Update = TaskTypeSet.Of(TaskType.Update);
}
