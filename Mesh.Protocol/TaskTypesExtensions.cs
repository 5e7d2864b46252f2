namespace Mesh.Protocol;

/// <summary>Between a type and a set of types.</summary>
public static class TaskTypesExtensions
{
    /// <summary>The set of this type alone.</summary>
    public static TaskTypes AsSet(this TaskType type) => type switch
    {
        TaskType.Query => TaskTypes.Query,
        TaskType.Update => TaskTypes.Update,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No task type"),
    };

    public static bool Handles(this TaskTypes types, TaskType type) => (types & type.AsSet()) != 0;
}
