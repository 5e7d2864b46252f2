using System.Net;
using MeshAspire.Client.Http;

namespace MeshAspire.Client.Tasks;

/// <summary>Puts, reads and deletes schedules (docs/protocol.md, "Schedules over HTTP").</summary>
internal sealed class Schedules(ServerSet servers, MeshRequests requests)
{
    public async Task<MeshSchedule> PutAsync(string name, MeshScheduleRequest schedule, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var primary = (await servers.GetAsync(cancellationToken).ConfigureAwait(false))[0];
        var answer = await requests.SendAsync(primary, new(HttpMethod.Put, PathOf(name), RequestJson.Write(schedule)), cancellationToken).ConfigureAwait(false);
        return answer.IsSuccess ? answer.Read(ApiJson.Default.ScheduleAnswer).ToSchedule() : throw ErrorMapper.Of(answer);
    }

    public async Task<MeshSchedule?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var answer = await requests.SearchAsync(new(HttpMethod.Get, PathOf(name)), first: null, cancellationToken).ConfigureAwait(false);
        return answer is null ? null
            : answer.Status == HttpStatusCode.OK ? answer.Read(ApiJson.Default.ScheduleAnswer).ToSchedule()
            : throw ErrorMapper.Of(answer);
    }

    public async Task<IReadOnlyList<MeshSchedule>> ListAsync(CancellationToken cancellationToken)
    {
        var schedules = new List<MeshSchedule>();
        foreach (var server in await servers.GetAsync(cancellationToken).ConfigureAwait(false))
        {
            var answer = await requests.SendAsync(server, new(HttpMethod.Get, "schedules"), cancellationToken).ConfigureAwait(false);
            schedules.AddRange((answer.Status == HttpStatusCode.OK ? answer.Read(ApiJson.Default.ScheduleAnswerArray) : throw ErrorMapper.Of(answer)).Select(schedule => schedule.ToSchedule()));
        }

        return schedules;
    }

    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var isUncertain = false;
        var answer = await requests.SearchAsync(new(HttpMethod.Delete, PathOf(name)), first: null, cancellationToken, failure => isUncertain |= !failure.IsRefused).ConfigureAwait(false);

        // After a request with an unknown outcome, 404 means that this request has deleted the schedule, or that there was none.
        return answer is null ? isUncertain : answer.IsSuccess ? true : throw ErrorMapper.Of(answer);
    }

    private static string PathOf(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name is "." or ".." ? throw new ArgumentException("A URL cannot contain the names . and ..", nameof(name)) : $"schedules/{Uri.EscapeDataString(name)}";
    }
}
