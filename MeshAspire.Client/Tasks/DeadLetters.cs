using System.Net;
using System.Runtime.CompilerServices;
using MeshAspire.Client.Http;

namespace MeshAspire.Client.Tasks;

/// <summary>Lists, retries and deletes dead letters (docs/protocol.md, "Dead letters").</summary>
internal sealed class DeadLetters(ServerSet servers, MeshRequests requests, TaskReader tasks, TaskLocations locations)
{
    /// <summary>What a Link header begins with. Another target could be one that must not get the token.</summary>
    private const string PagePrefix = "/tasks?";

    public async IAsyncEnumerable<MeshTask> ListAsync(string? type, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var server in await servers.GetAsync(cancellationToken).ConfigureAwait(false))
        {
            for (var path = $"tasks?state=dead{TypeFilter(type)}"; path is not null;)
            {
                var answer = await requests.SendAsync(server, new(HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
                foreach (var task in answer.Status == HttpStatusCode.OK ? answer.Read(ApiJson.Default.MeshTaskArray) : throw ErrorMapper.Of(answer))
                {
                    yield return task with { Server = server.Address };
                }

                path = answer.NextPage is null ? null
                    : answer.NextPage.StartsWith(PagePrefix, StringComparison.Ordinal) ? answer.NextPage[1..]
                    : throw new UnexpectedResponseException($"{server} named a next page of an unknown form: {answer.NextPage}", server.Address);
            }
        }
    }

    public async Task<RetryResult> RetryAsync(string id, CancellationToken cancellationToken)
    {
        // The first request whose outcome is unknown may have been the one that put the dead letter into the queue.
        var uncertain = new HashSet<MeshServer>();
        var answer = await requests.SearchAsync(
            new(HttpMethod.Post, TaskIds.PathOf(id, "/retry")), locations.Find(id), cancellationToken, failure => _ = failure.IsRefused || uncertain.Add(failure.Server)).ConfigureAwait(false);
        return answer?.Status switch
        {
            null => RetryResult.NotFound,
            HttpStatusCode.Accepted => RetryResult.Retried,
            HttpStatusCode.Conflict => uncertain.Contains(answer.Server) ? RetryResult.Retried : RetryResult.NotDead,
            _ => throw ErrorMapper.Of(answer),
        };
    }

    public Task<int> RetryAllAsync(string? type, CancellationToken cancellationToken) => ChangeAllAsync(HttpMethod.Post, $"tasks/retry?state=dead{TypeFilter(type)}", cancellationToken);

    public Task<int> DeleteAllAsync(string? type, CancellationToken cancellationToken) => ChangeAllAsync(HttpMethod.Delete, $"tasks?state=dead{TypeFilter(type)}", cancellationToken);

    /// <summary>Deletes one dead letter. The request to delete one is the request to cancel a task, so the state is read before.</summary>
    public async Task<bool> DeleteAsync(string id, CancellationToken cancellationToken) =>
        await tasks.FindAsync(id, cancellationToken).ConfigureAwait(false) is { State: MeshTaskState.Dead }
        && await tasks.CancelAsync(id, cancellationToken).ConfigureAwait(false) == CancelResult.Cancelled;

    /// <summary>Changes the dead letters of all servers. A request that ended early has changed a part, and is repeated for the rest.</summary>
    private async Task<int> ChangeAllAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        var count = 0;
        foreach (var server in await servers.GetAsync(cancellationToken).ConfigureAwait(false))
        {
            var answer = await requests.SendAsync(server, new(method, path), cancellationToken, failure => count += failure.Count).ConfigureAwait(false);
            count += answer.IsSuccess ? answer.Read(ApiJson.Default.CountAnswer).Count : throw ErrorMapper.Of(answer);
        }

        return count;
    }

    private static string TypeFilter(string? type) => type is null ? "" : $"&type={Uri.EscapeDataString(type)}";
}
