using Mesh.Tests.Dashboard;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Integration;
using MeshAspire.Embedded.Dashboard.Telemetry;

namespace Mesh.Tests.Telemetry;

/// <summary>Under load every span still has its parent: none is dropped on its way, and no context is lost.</summary>
public sealed class OrphanSpanTests(RedisFixture redis)
{
    private const int Guests = 3;
    private const int Loans = 20;
    private const int MostWaves = 20;
    private const int Wave = 60;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task ThousandTasks_LeaveNoOrphanSpan()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), environment: Traces.Otlp(dashboard, "server"));
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, new() { ["Concurrency"] = "8" }, Traces.Otlp(dashboard, "worker"));
        var user = RedisFixture.Unique("maria");
        await server.SetBalanceAsync(user, 0);
        await server.SubmitAsync([.. Enumerable.Range(0, 1000).Select(_ => (object)new { type = "UPDATE", user, amount = 1 })]);
        await server.StatusAsync("all tasks are done", status => (int)status["done"]! == 1000, worker);

        // submit, queue, dispatch, process with its EVALSHA, settle
        TraceView[] tasks = [];
        await Eventually.HoldsAsync(
            "1,000 traces of 6 spans",
            () => (tasks = Traces.All(dashboard, "submit UPDATE")) is { Length: 1000 } && tasks.All(task => task.Spans.Count == 6),
            details: () => $"{tasks.Length} traces; " + string.Join("\n\n", tasks.Where(task => task.Spans.Count != 6).Take(3).Select(Traces.Tree)));
        Assert.Empty(Traces.Orphans(Traces.All(dashboard)));
    }

    [Fact]
    public async Task TwentyLoans_LeaveNoOrphanSpan()
    {
        await using var dashboard = await DashboardUnderTest.StartAsync();
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)], environment: Traces.Otlp(dashboard, "borrower"));
        await using var owner = await MeshProcess.ServerAsync(
            redis, b, portB, [(a, portA)], new() { ["Balancing__MinWorkersBeforeSharing"] = "0" }, Traces.Otlp(dashboard, "owner"));
        var guests = new List<MeshProcess>();
        try
        {
            for (var i = 0; i < Guests; i++)
            {
                guests.Add(await MeshProcess.WorkerAsync(redis, $"w{i}", owner, new() { ["WorkTime"] = "00:00:00.050" }, Traces.Otlp(dashboard, $"worker-{i}")));
            }

            MeshProcess[] all = [.. guests, owner];
            var user = RedisFixture.Unique("maria");
            await borrower.SetBalanceAsync(user, 0);
            await borrower.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, all);
            TraceView[] traces = [];
            int Count(string name) => traces.Sum(trace => trace.Spans.Count(span => span.Name == name));
            var waves = 0;
            while (waves < MostWaves && Count("worker arrives") < Loans)
            {
                waves++;
                await Eventually.GetAsync(
                    "all workers are at home",
                    owner.StatusAsync,
                    status => MeshTests.Workers(status).Count(worker => (string)worker["state"]! == "idle") == Guests,
                    StartLimit,
                    () => string.Join('\n', all.Select(process => process.Output)));
                await borrower.SubmitAsync([.. Enumerable.Range(0, Wave).Select(_ => (object)new { type = "QUERY", user })]);
                await borrower.StatusAsync(
                    $"wave {waves} is done and its loans are over", status => (int)status["done"]! == waves * Wave && !MeshTests.Loans(status).Any(), all);
                traces = Traces.All(dashboard);
            }

            await Eventually.HoldsAsync(
                "the ends of all tasks and loans, and no orphan",
                () => (traces = Traces.All(dashboard)).Length > 0
                    && Count("settle QUERY") == waves * Wave
                    && Count("worker arrives") is >= Loans and var loans && Count("worker comes home") == loans && Count("loan completed") == loans
                    && Traces.Orphans(traces).Length == 0,
                details: () => string.Join('\n', Traces.Orphans(traces).Concat(
                    traces.Where(trace => trace.Spans.Any(span => span.Name is "worker arrives" or "worker comes home")).Select(Traces.Tree))));
        }
        finally
        {
            foreach (var guest in guests)
            {
                await guest.DisposeAsync();
            }
        }
    }
}
