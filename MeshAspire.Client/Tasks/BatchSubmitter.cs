using System.Globalization;
using MeshAspire.Client.Http;

namespace MeshAspire.Client.Tasks;

/// <summary>Submits any number of tasks, in as many requests as the limits of the servers make necessary.</summary>
internal sealed class BatchSubmitter(TaskSubmitter submitter, TaskIds ids, MeshClientSettings settings)
{
    /// <summary>The largest body of a request, bytes. A server accepts 4 MiB.</summary>
    private const int MaxBodyBytes = (4 * 1024 * 1024) - 1024;

    /// <summary>The field that a server names when a request has too many tasks or too many bytes.</summary>
    private const string WholeBody = "body";

    /// <returns>The ids, in the order of the tasks.</returns>
    /// <exception cref="MeshException">Not all tasks were accepted.</exception>
    public async Task<IReadOnlyList<string>> SubmitAsync(IReadOnlyList<MeshTaskRequest> tasks, CancellationToken cancellationToken)
    {
        List<MeshTaskRequest> withIds = [.. tasks.Select(ids.WithId)];
        List<byte[]> bodies = [.. withIds.Select(RequestJson.Write)];
        var (done, size) = (0, settings.MaxTasksPerRequest);
        while (done < tasks.Count)
        {
            var route = ids.RouteOf(tasks[done], withIds[done]);
            var count = CountTasks(bodies, done, size, at => ids.RouteOf(tasks[at], withIds[at]) == route);
            try
            {
                await submitter.SubmitAsync(withIds.GetRange(done, count), RequestJson.Join(bodies.GetRange(done, count)), route, cancellationToken).ConfigureAwait(false);
                done += count;
            }
            catch (TaskRejectedException exception) when (exception.Field == WholeBody && count > 1)
            {
                // More tasks than the server's capacity (Mesh__Tasks__Capacity).
                size = (count + 1) / 2;
            }
            catch (MeshException exception)
            {
                var error = WithIndex(exception, done);
                var unknown = exception is TaskOutcomeUnknownException { Tasks: var uncertain } ? uncertain : [];
                if (done == 0 && (unknown.Count == 0 || unknown.Count == tasks.Count))
                {
                    throw error;
                }

                string[] accepted = [.. withIds.Take(done).Select(task => task.Options.Id!)];
                MeshTaskRequest[] notAccepted = [.. tasks.Skip(done + unknown.Count)];
                throw new PartialSubmissionException(
                    $"Of {tasks.Count} tasks {accepted.Length} are accepted, {notAccepted.Length} are not accepted, and of {unknown.Count} it is unknown. {error.Message}",
                    accepted, unknown, notAccepted, error);
            }
        }

        return [.. withIds.Select(task => task.Options.Id!)];
    }

    /// <summary>Returns how many tasks fit into the next request.</summary>
    private static int CountTasks(List<byte[]> bodies, int start, int most, Func<int, bool> hasSameRoute)
    {
        var (count, bytes) = (1, bodies[start].Length);
        while (count < most && start + count < bodies.Count && bytes + bodies[start + count].Length + 1 <= MaxBodyBytes && hasSameRoute(start + count))
        {
            bytes += bodies[start + count].Length + 1;
            count++;
        }

        return count;
    }

    /// <summary>Replaces the indexes in the names of fields: a server counts from the start of its request.</summary>
    private static MeshException WithIndex(MeshException exception, int offset) => offset == 0 ? exception : exception switch
    {
        TaskRejectedException rejected => new TaskRejectedException(rejected.Message, Shift(rejected.Field, offset), rejected.Detail, rejected.Server),
        TaskConflictException conflict => new TaskConflictException(conflict.Message, [.. conflict.Fields.Select(field => Shift(field, offset)!)], conflict.Server),
        _ => exception,
    };

    private static string? Shift(string? field, int offset) =>
        field is ['[', ..] && field.IndexOf(']', StringComparison.Ordinal) is > 0 and var end && int.TryParse(field.AsSpan(1, end - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? string.Create(CultureInfo.InvariantCulture, $"[{index + offset}]{field[(end + 1)..]}")
            : field;
}
