using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration;

/// <summary>Ten times the load that the workers can carry. MESH_OVERLOAD_SECONDS says for how long; default: 6.</summary>
[Collection(SequentialTests.Name)]
public sealed class OverloadTests(RedisFixture redis, ITestOutputHelper output)
{
    private const int Capacity = 200;
    private const int Batch = 20;
    private const string Account = "maria";

    /// <summary>Two workers with two slots each and 20 ms a task: 200 tasks a second at most.</summary>
    private const int Slots = 4;

    private static readonly TimeSpan WorkTime = TimeSpan.FromMilliseconds(20);

    /// <summary>2,000 tasks a second, in batches.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    [Fact]
    public async Task Server_OfferedTenTimesWhatItsWorkersCarry_RefusesTheRestAndKeepsThemBusy()
    {
        await using var server = await MeshProcess.ServerAsync(
            redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), settings: new() { ["Tasks__Capacity"] = $"{Capacity}", ["Tasks__LeaseTime"] = "00:01:00" });
        var settings = new Dictionary<string, string> { ["Concurrency"] = $"{Slots / 2}", ["WorkTime"] = WorkTime.ToString("c", CultureInfo.InvariantCulture) };
        await using var one = await MeshProcess.WorkerAsync(redis, "w1", server, settings);
        await using var other = await MeshProcess.WorkerAsync(redis, "w2", server, settings);
        await server.StatusAsync("both workers are there", status => MeshTests.Workers(status).Count() == 2, one, other);

        await server.SetBalanceAsync(Account, 1);
        var seconds = int.Parse(Environment.GetEnvironmentVariable("MESH_OVERLOAD_SECONDS") ?? "6", CultureInfo.InvariantCulture);
        var offered = await OfferAsync(server, TimeSpan.FromSeconds(seconds));
        var after = await server.StatusAsync("what was accepted is settled", status => (int)status["done"]! == offered.Accepted, one, other);
        output.WriteLine(offered.ToString());

        Assert.Equal((0, 0, 0), ((int)after["queue"]!, (int)after["running"]!, (int)after["dead"]!));
        Assert.True(offered.Refused > offered.Accepted, $"{offered}");
        Assert.True(offered.MostUnsettled <= Capacity, $"{offered}");
        Assert.True(offered.SlowestRefusal < TimeSpan.FromSeconds(5), $"{offered}");
        // All that the workers could ask for was there: they never went idle for want of a task.
        Assert.True(offered.LeastUnsettled >= Slots, $"{offered}");
        Assert.True(offered.Growth < 150, $"{offered}");
    }

    /// <param name="Growth">Of the server's memory from the end of the first third, MiB.</param>
    private sealed record Offered(int Accepted, int Refused, TimeSpan SlowestRefusal, int LeastUnsettled, int MostUnsettled, long Growth, double AcceptedPerSecond);

    private static async Task<Offered> OfferAsync(MeshProcess server, TimeSpan duration)
    {
        var watch = Stopwatch.StartNew();
        var (accepted, refused, slowest) = (0, 0, TimeSpan.Zero);
        var (least, most, warm) = (int.MaxValue, 0, 0L);
        var posts = new ConcurrentBag<Task>();
        using var timer = new PeriodicTimer(Interval, TimeProvider.System);
        var looked = TimeSpan.Zero;
        while (watch.Elapsed < duration)
        {
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            posts.Add(PostAsync());
            if (watch.Elapsed < duration / 3 || watch.Elapsed - looked < TimeSpan.FromMilliseconds(200))
            {
                continue;
            }

            looked = watch.Elapsed;
            var status = await server.StatusAsync();
            var unsettled = (int)status["queue"]! + (int)status["running"]!;
            (least, most) = (Math.Min(least, unsettled), Math.Max(most, unsettled));
            warm = warm == 0 ? server.MemoryMiB : warm;
        }

        await Task.WhenAll(posts);
        return new Offered(accepted, refused, slowest, least, most, server.MemoryMiB - warm, accepted / watch.Elapsed.TotalSeconds);

        async Task PostAsync()
        {
            var posted = watch.Elapsed;
            var tasks = Enumerable.Range(0, Batch).Select(_ => new { type = "QUERY", user = Account });
            using var answer = await server.Http.PostAsJsonAsync(new Uri("/tasks", UriKind.Relative), tasks, TestContext.Current.CancellationToken);
            if (answer.StatusCode == HttpStatusCode.Accepted)
            {
                Interlocked.Add(ref accepted, Batch);
                return;
            }

            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero, $"{answer.Headers}");
            Interlocked.Add(ref refused, Batch);
            var took = watch.Elapsed - posted;
            lock (watch)
            {
                slowest = took > slowest ? took : slowest;
            }
        }
    }
}
