using Mesh.Protocol;

namespace Mesh.Server.Core;

internal static class TaskTypesExtensions
{
    public static bool Handles(this TaskTypes types, TaskType type) => type switch
    {
        TaskType.Query => (types & TaskTypes.Query) != 0,
        TaskType.Update => (types & TaskTypes.Update) != 0,
        _ => throw new InvalidOperationException($"Task type {type} is unknown."),
    };
}
