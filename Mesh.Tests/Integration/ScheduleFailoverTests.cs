using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>A schedule fires once at each time, also while its server is killed, adopted and started again.</summary>
[Trait("Speed", "Slow")]
public sealed class ScheduleFailoverTests(RedisFixture redis)
{
    [Fact]
    public async Task Schedule_ServerKilledAdoptedAndRestarted_FiresEachTimeOnce()
    {
        var (owner, peer) = (RedisFixture.Unique("server"), RedisFixture.Unique("server"));
        var (ownerPort, peerPort) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        var settings = new Dictionary<string, string>
        {
            ["Adoption__After"] = "00:00:01",
            ["Timing__HeartbeatRetries"] = "0",
            ["Timing__HeartbeatRetryDelay"] = "00:00:00.200",
            ["Timing__HeartbeatMaxDelay"] = "00:00:01",
        };
        await using var first = await MeshProcess.ServerAsync(redis, owner, ownerPort, [(peer, peerPort)], settings);
        await using var second = await MeshProcess.ServerAsync(redis, peer, peerPort, [(owner, ownerPort)], settings);
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", owner, ownerPort);
        await using var helper = await MeshProcess.WorkerAsync(redis, "w2", peer, peerPort);
        await second.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, first);
        var user = RedisFixture.Unique("maria");
        await first.SetBalanceAsync(user, 0);
        DateTimeOffset begin;
        using (var put = await first.Http.PutAsJsonAsync(
            new Uri("/schedules/each-second", UriKind.Relative), new { cron = "* * * * * *", task = new { type = "UPDATE", user, amount = 1 } }, TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
            begin = DateTimeOffset.Parse((string)(await put.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!["next"]!, CultureInfo.InvariantCulture);
        }

        var before = await FiredAsync(first, after: null, first, second);
        first.Kill();
        var during = await FiredAsync(second, after: await FiredAsync(second, after: before, first, second), first, second);
        await first.RestartAsync();
        await first.HealthyAsync();
        var last = await FiredAsync(first, after: during, first, second);
        await DeleteAsync(first);

        // An UPDATE changes the balance once, so the balance is the number of times that have fired. A task whose result is being stored is neither queued nor running.
        var fired = await CountTasksAsync(first, begin, last!.Value);
        Assert.True(fired >= 4, $"{fired} times have fired");
        await first.StatusAsync($"all {fired} tasks are done", status => (int)status["done"]! == fired && (int)status["queue"]! + (int)status["running"]! == 0, second);
        Assert.Equal(fired, (int)await first.BalanceAsync(user));
    }

    /// <summary>Waits until the schedule has fired after a time, and returns the last time.</summary>
    private static async Task<DateTimeOffset?> FiredAsync(MeshProcess server, DateTimeOffset? after, params MeshProcess[] all) => await Eventually.GetAsync<DateTimeOffset?>(
        $"the schedule has fired at {server.Id} after {after}",
        async () => await FindAsync(server) is { } schedule && (string?)schedule["lastFired"] is { } time ? DateTimeOffset.Parse(time, CultureInfo.InvariantCulture) : null,
        time => time is not null && !(time <= after),
        details: () => string.Join('\n', all.Select(process => process.Output)));

    private static async Task<JsonNode?> FindAsync(MeshProcess server)
    {
        using var response = await server.Http.GetAsync(new Uri("/schedules/each-second", UriKind.Relative), TestContext.Current.CancellationToken);
        return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken) : null;
    }

    private static async Task DeleteAsync(MeshProcess server)
    {
        using var response = await server.Http.DeleteAsync(new Uri("/schedules/each-second", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    /// <summary>Counts the tasks of the seconds from the first time to some time after the last one that was seen. Each has an id of its own.</summary>
    private static async Task<int> CountTasksAsync(MeshProcess server, DateTimeOffset begin, DateTimeOffset last)
    {
        var count = 0;
        for (var time = begin; time < last.AddMinutes(2); time = time.AddSeconds(1))
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"schedule:each-second:{time.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}");
            using var response = await server.Http.GetAsync(new Uri($"/tasks/{Uri.EscapeDataString(id)}", UriKind.Relative), TestContext.Current.CancellationToken);
            count += response.IsSuccessStatusCode ? 1 : 0;
        }

        return count;
    }
}
