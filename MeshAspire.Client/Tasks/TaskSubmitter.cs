using System.Net;
using MeshAspire.Client.Http;
using Microsoft.Extensions.Logging;

namespace MeshAspire.Client.Tasks;

/// <summary>
/// Submits tasks with their ids, so that each is accepted at most once. A request with an unknown outcome is repeated at the same server and at no other, because an id is known
/// at one server only. Another server is tried only when it is certain that none before it has accepted the tasks.
/// </summary>
internal sealed partial class TaskSubmitter(ServerSet servers, RequestSender sender, TaskLocations locations, Func<RetryBudget> newBudget, TimeProvider time, ILogger logger)
{
    /// <summary>Submits tasks in one request.</summary>
    /// <param name="tasks">The tasks, with ids.</param>
    /// <param name="body">The JSON of the tasks.</param>
    /// <param name="route">Where the tasks may go.</param>
    /// <exception cref="TaskOutcomeUnknownException">A server may have accepted the tasks.</exception>
    /// <exception cref="MeshException">No server has accepted the tasks.</exception>
    public async Task SubmitAsync(IReadOnlyList<MeshTaskRequest> tasks, byte[] body, SubmitRoute route, CancellationToken cancellationToken)
    {
        var request = new ServerRequest(HttpMethod.Post, "tasks", body) { IgnoresBody = true };
        var (all, candidates) = await CandidatesAsync(route, cancellationToken).ConfigureAwait(false);
        MeshServer? uncertain = null;
        var failures = new ServerFailures(time);
        var budget = newBudget();
        while (true)
        {
            foreach (var server in uncertain is null ? candidates().Where(failures.IsDue) : [uncertain])
            {
                var reply = await sender.SendAsync(server, request, cancellationToken).ConfigureAwait(false);
                if (reply is Answer answer)
                {
                    Complete(tasks, answer, all, uncertain);
                    return;
                }

                var failure = (Failure)reply;
                LogFailed(tasks.Count, tasks[0].Options.Id!, $"{server}", failure.Reason, failure.IsRefused);
                failures.Add(failure);
                if (!failure.IsRefused)
                {
                    // From here on only this server can say what has become of the tasks, and only with 202: a later refusal says nothing about the earlier request.
                    uncertain = server;
                    Remember(tasks, server);
                    break;
                }
            }

            if (!await budget.WaitAsync(failures.WaitTime(uncertain), cancellationToken).ConfigureAwait(false))
            {
                throw uncertain is null
                    ? ErrorMapper.Of(failures.Last, "Nothing was accepted. Submit the tasks again later.")
                    : Unknown(tasks, uncertain, ErrorMapper.Of([failures.LastOf(uncertain)], ""));
            }

            MeshClientTelemetry.AddRetry();
        }
    }

    /// <summary>Returns all servers, and a function that returns those that the tasks may go to in the order to try them.</summary>
    private async ValueTask<(IReadOnlyList<MeshServer> All, Func<IEnumerable<MeshServer>> InOrder)> CandidatesAsync(SubmitRoute route, CancellationToken cancellationToken)
    {
        if (route.Server is { } pinned)
        {
            var only = servers.Find(pinned);
            return ([], () => [only]);
        }

        var all = await servers.GetAsync(cancellationToken).ConfigureAwait(false);
        return (all, () => route.PrimaryOnly ? [all[0]] : servers.ReachableFirst(all));
    }

    private void Complete(IReadOnlyList<MeshTaskRequest> tasks, Answer answer, IReadOnlyList<MeshServer> all, MeshServer? uncertain)
    {
        if (answer.Status == HttpStatusCode.Accepted)
        {
            var isPrimary = all.Count > 0 && answer.Server == all[0];
            MeshClientTelemetry.SetServer(answer.Server.Address, isPrimary);
            if (!isPrimary)
            {
                Remember(tasks, answer.Server);
            }

            return;
        }

        var error = ErrorMapper.Of(answer);
        throw uncertain is null ? error : Unknown(tasks, uncertain, error);
    }

    private void Remember(IReadOnlyList<MeshTaskRequest> tasks, MeshServer server)
    {
        foreach (var task in tasks)
        {
            locations.Remember(task.Options.Id!, server.Address);
        }
    }

    private static TaskOutcomeUnknownException Unknown(IReadOnlyList<MeshTaskRequest> tasks, MeshServer server, MeshException cause)
    {
        IReadOnlyList<MeshTaskRequest> repeatable = [.. tasks.Select(task => task with { Options = task.Options with { Server = server.Address } })];
        var what = tasks.Count == 1 ? $"task {tasks[0].Options.Id} is" : $"{tasks.Count} tasks are";
        return new($"It is unknown whether {what} accepted at {server}. Submit the tasks of this exception again to find out. {cause.Message}", repeatable, server.Address, cause);
    }

    [LoggerMessage(8002, LogLevel.Debug, "The submission of {Count} tasks from {TaskId} on failed: {Server} {Reason}. It is certain that nothing was accepted: {IsRefused}.")]
    private partial void LogFailed(int count, string taskId, string server, string reason, bool isRefused);
}

/// <summary>Where tasks may go.</summary>
/// <param name="Server">The only server, or null.</param>
/// <param name="PrimaryOnly">Whether they may go to the primary server only.</param>
internal readonly record struct SubmitRoute(Uri? Server, bool PrimaryOnly);
