using System.Globalization;
using System.Net;
using MeshAspire.Client.Http;

namespace MeshAspire.Client.Tasks;

/// <summary>Finds tasks, waits for them and cancels them.</summary>
internal sealed class TaskReader(MeshRequests requests, TaskLocations locations, MeshClientSettings settings, Func<RetryBudget> newBudget, TimeProvider time)
{
    /// <summary>Returns a task, or null when no server knows it.</summary>
    public Task<MeshTask?> FindAsync(string id, CancellationToken cancellationToken) => FindAsync(id, locations.Find(id), TimeSpan.Zero, cancellationToken);

    /// <summary>Waits until a task is settled.</summary>
    /// <exception cref="TaskNotFoundException">No server knows the task.</exception>
    /// <exception cref="TaskNotSettledException">The time limit has passed.</exception>
    public async Task<MeshTask> WaitAsync(string id, TimeSpan? timeLimit, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeLimit ?? Timeout.InfiniteTimeSpan, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        MeshTask? task = null;
        try
        {
            for (var budget = newBudget(); ;)
            {
                var began = time.GetTimestamp();
                task = await FindAsync(id, task?.Server ?? locations.Find(id), settings.LongPollTime, ends.Token).ConfigureAwait(false)
                    ?? throw new TaskNotFoundException($"No server knows the task {id}. Its result may have been kept no longer (Mesh__Tasks__ResultRetention).", id);
                if (task.IsSettled)
                {
                    return task;
                }

                if (time.GetElapsedTime(began) >= settings.LongPollTime / 2)
                {
                    budget.Reset();
                }
                else if (!await budget.WaitAsync(retryAfter: null, ends.Token).ConfigureAwait(false))
                {
                    // A server that stops answers at once. It does so once, or it is no mesh server.
                    throw new MeshUnavailableException($"{task.Server} does not wait until the task {id} is settled. Wait for it again later.", task.Server);
                }
            }
        }
        catch (OperationCanceledException exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TaskNotSettledException($"Task {id} was not settled within {timeLimit}. It is {task?.State.ToString() ?? "accepted"} and goes on.", id, task, exception);
        }
    }

    public async Task<CancelResult> CancelAsync(string id, CancellationToken cancellationToken)
    {
        var answer = await requests.SearchAsync(new(HttpMethod.Delete, TaskIds.PathOf(id)), locations.Find(id), cancellationToken).ConfigureAwait(false);
        return answer?.Status switch
        {
            null => CancelResult.NotFound,
            HttpStatusCode.NoContent => CancelResult.Cancelled,
            HttpStatusCode.Accepted => CancelResult.CancellationRequested,
            HttpStatusCode.Conflict => CancelResult.AlreadyDone,
            _ => throw ErrorMapper.Of(answer),
        };
    }

    private async Task<MeshTask?> FindAsync(string id, Uri? server, TimeSpan wait, CancellationToken cancellationToken)
    {
        var query = wait > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $"?wait={(int)wait.TotalSeconds}") : "";
        var answer = await requests.SearchAsync(new(HttpMethod.Get, TaskIds.PathOf(id, query), ExtraTime: wait), server, cancellationToken).ConfigureAwait(false);
        return answer is null ? null
            : answer.Status == HttpStatusCode.OK ? answer.Read(ApiJson.Default.MeshTask) with { Server = answer.Server.Address }
            : throw ErrorMapper.Of(answer);
    }
}
