using Mesh.Protocol;

namespace Mesh.Worker;

internal static class TaskTypeFlags
{
    public static TaskTypes AsFlag(this TaskType type) => type switch
    {
        TaskType.Query => TaskTypes.Query,
        TaskType.Update => TaskTypes.Update,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
