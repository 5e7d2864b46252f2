using System.Globalization;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;
using Mesh.Server.Storage;

namespace Mesh.Server.Api;

/// <summary>Finds a task for GET /tasks/{id}, and waits until it is settled (docs/protocol.md, "Tasks over HTTP").</summary>
internal sealed class TaskWaitReader(CoreInputQueue inputs, IMeshStore store, TaskWaiters waiters, TimeProvider time)
{
    /// <summary>The largest value of wait, seconds.</summary>
    public const int MaxWait = 60;

    /// <summary>Reads the value of wait. Null is no wait.</summary>
    /// <returns>False when the value is not a whole number of seconds within the limit.</returns>
    public static bool TryReadWait(string? text, out TimeSpan wait)
    {
        var seconds = 0;
        var isValid = text is null || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds) && seconds <= MaxWait);
        wait = TimeSpan.FromSeconds(seconds);
        return isValid;
    }

    /// <summary>Returns the task when it is settled, or its present state after the given time. Null when there is no such task.</summary>
    /// <exception cref="TooManyWaitsException">The limit of waiting requests is reached.</exception>
    /// <exception cref="LoopStoppedException">The loop has ended.</exception>
    public async Task<TaskRecord?> FindAsync(string id, TimeSpan wait, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var left = wait - time.GetElapsedTime(began);
            using var registration = left > TimeSpan.Zero && !waiters.IsClosed ? waiters.TryRegister(id) ?? throw new TooManyWaitsException() : null;

            // The registration comes first: a task that is settled after this line completes it.
            if (await inputs.QueryAsync(core => core.FindTask(id)) is not { } unsettled)
            {
                return await store.FindSettledAsync(id, cancellationToken);
            }

            if (registration is null)
            {
                return unsettled;
            }

            // The results are stored under the client's id. A task in memory is found by its TASK_ID too.
            id = unsettled.Id;
            await registration.Completed.WaitAsync(left, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}

/// <summary>The limit of requests that wait for a task is reached.</summary>
internal sealed class TooManyWaitsException() : Exception("This server has reached its limit of waiting requests (Mesh__Tasks__MaxWaits).");
