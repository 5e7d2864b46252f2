using Mesh.Transport;

namespace Mesh.Server.Core.Tasks;

/// <summary>The number of attempts at a task and the delays between them: those of the task, or else those of the settings.</summary>
internal static class RetryPolicy
{
    /// <summary>Returns the number of attempts before the task becomes a dead letter.</summary>
    public static int MaxAttempts(TaskRecord task, TasksOptions settings) => task.Limits?.MaxAttempts ?? settings.MaxAttempts;

    /// <summary>Returns the delay before the next attempt.</summary>
    /// <param name="failures">The number of attempts that failed, at least 1.</param>
    public static TimeSpan Delay(TaskRecord task, TasksOptions settings, int failures) =>
        (task.Limits?.Retry is { } own ? new Backoff(own.Delay, own.MaxDelay, own.Factor) : settings.RetryBackoff).Delay(failures);
}
