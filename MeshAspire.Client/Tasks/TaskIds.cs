using MeshAspire.Client.Http;

namespace MeshAspire.Client.Tasks;

/// <summary>Gives tasks their ids, and decides where tasks with an id of the caller's may go.</summary>
internal sealed class TaskIds(TaskLocations locations, TimeProvider time)
{
    /// <summary>Returns the task with an id. It is the idempotency key of all requests that submit this task.</summary>
    public MeshTaskRequest WithId(MeshTaskRequest task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.Options.Id is not null ? task : task with { Options = task.Options with { Id = Guid.CreateVersion7(time.GetUtcNow()).ToString("n") } };
    }

    /// <param name="task">The task as the caller passed it.</param>
    /// <param name="withId">The same task with its id.</param>
    public SubmitRoute RouteOf(MeshTaskRequest task, MeshTaskRequest withId)
    {
        var isCallersId = task.Options.Id is not null;
        return new(task.Options.Server ?? (isCallersId ? locations.Find(withId.Options.Id!) : null), isCallersId && !task.Options.AllowFallback);
    }

    /// <summary>Returns the path of a task.</summary>
    /// <exception cref="ArgumentException">A URL cannot contain the id.</exception>
    public static string PathOf(string id, string query = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return id is "." or ".." ? throw new ArgumentException("A URL cannot contain the names . and ..", nameof(id)) : $"tasks/{Uri.EscapeDataString(id)}{query}";
    }
}
