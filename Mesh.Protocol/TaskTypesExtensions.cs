namespace Mesh.Protocol;

/// <summary>Converts a task type to a set of task types.</summary>
public static class TaskTypesExtensions
{
    /// <summary>Returns the set that contains only this type.</summary>
    public static TaskTypes AsSet(this TaskType type) => type switch
    {
        TaskType.Query => TaskTypes.Query,
        TaskType.Update => TaskTypes.Update,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No task type"),
    };

    public static bool Handles(this TaskTypes types, TaskType type) => (types & type.AsSet()) != 0;
}
