using System.Net;
using Microsoft.Extensions.Logging;

namespace MeshAspire.Client.Http;

/// <summary>Sends requests that can be repeated without harm, and repeats them until a server gives its final answer or the retries are used up.</summary>
internal sealed partial class MeshRequests(ServerSet servers, RequestSender sender, Func<RetryBudget> newBudget, ILogger logger)
{
    private const string Consequence = "Repeat the operation later.";

    /// <summary>Sends a request to one server.</summary>
    /// <param name="onFailure">Called for each failure, also for those that are repeated.</param>
    /// <exception cref="MeshException">The server refused the request, except with 404, or gave no answer.</exception>
    public async Task<Answer> SendAsync(MeshServer server, ServerRequest request, CancellationToken cancellationToken, Action<Failure>? onFailure = null)
    {
        for (var budget = newBudget(); ;)
        {
            var reply = await sender.SendAsync(server, request, cancellationToken).ConfigureAwait(false);
            if (reply is Answer answer)
            {
                return answer;
            }

            var failure = (Failure)reply;
            onFailure?.Invoke(failure);
            LogFailed(request.Method, request.Path, $"{server}", failure.Reason);
            if (!await budget.WaitAsync(failure.RetryAfter, cancellationToken).ConfigureAwait(false))
            {
                throw ErrorMapper.Of([failure], Consequence);
            }
        }
    }

    /// <summary>
    /// Sends a request to the servers in their order until one knows the name in the request's path. A server that cannot answer may know it, so the search then starts again.
    /// </summary>
    /// <param name="first">The server that probably knows the name, or null.</param>
    /// <param name="onFailure">Called for each failure.</param>
    /// <returns>The first answer that is not 404. Null when all servers have answered 404.</returns>
    /// <exception cref="MeshException">Not all servers have answered, and none of those that have knows the name.</exception>
    public async Task<Answer?> SearchAsync(ServerRequest request, Uri? first, CancellationToken cancellationToken, Action<Failure>? onFailure = null)
    {
        for (var budget = newBudget(); ;)
        {
            var failures = new List<Failure>();
            foreach (var server in await OrderAsync(first, cancellationToken).ConfigureAwait(false))
            {
                switch (await sender.SendAsync(server, request, cancellationToken).ConfigureAwait(false))
                {
                    case Answer { Status: HttpStatusCode.NotFound }:
                        break;
                    case Answer answer:
                        return answer;
                    case Failure failure:
                        onFailure?.Invoke(failure);
                        LogFailed(request.Method, request.Path, $"{server}", failure.Reason);
                        failures.Add(failure);
                        break;
                    default:
                        throw new InvalidOperationException("Unknown reply.");
                }
            }

            if (failures.Count == 0)
            {
                return null;
            }

            if (!await budget.WaitAsync(failures.Max(failure => failure.RetryAfter), cancellationToken).ConfigureAwait(false))
            {
                throw ErrorMapper.Of(failures, Consequence);
            }
        }
    }

    private async ValueTask<IEnumerable<MeshServer>> OrderAsync(Uri? first, CancellationToken cancellationToken)
    {
        var all = servers.ReachableFirst(await servers.GetAsync(cancellationToken).ConfigureAwait(false));
        return first is null ? all : all.Where(server => server.Address != first).Prepend(servers.Find(first));
    }

    [LoggerMessage(8001, LogLevel.Debug, "{Method} {Path} failed: {Server} {Reason}.")]
    private partial void LogFailed(HttpMethod method, string path, string server, string reason);
}
