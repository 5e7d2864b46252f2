using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Integration.Telemetry;

/// <summary>Under load each span has its parent: no span is dropped, and no context is lost.</summary>
[Trait("Speed", "Slow")]
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
        await using var receiver = await SpanReceiver.StartAsync();
        await using var server = await MeshProcess.ServerAsync(redis, RedisFixture.Unique("server"), RedisProcess.FreePort(), environment: receiver.Environment("server"));
        await using var worker = await MeshProcess.WorkerAsync(redis, "w1", server, new() { ["Concurrency"] = "8" }, receiver.Environment("worker"));
        var user = RedisFixture.Unique("maria");
        await server.SetBalanceAsync(user, 0);
        await server.SubmitAsync([.. Enumerable.Range(0, 1000).Select(_ => (object)new { type = "UPDATE", user, amount = 1 })]);
        await server.StatusAsync("all tasks are done", status => (int)status["done"]! == 1000, worker);

        // submit, queue, dispatch, process with its EVAL, settle
        Trace[] tasks = [];
        Trace[] Updates() => [.. receiver.Traces.Where(trace => trace.Spans.Any(span => span.Name == "submit UPDATE"))];
        await Eventually.HoldsAsync(
            "1,000 traces of 6 spans",
            () => (tasks = Updates()) is { Length: 1000 } && tasks.All(task => task.Spans.Length == 6),
            details: () => $"{tasks.Length} traces; " + string.Join("\n\n", tasks.Where(task => task.Spans.Length != 6).Take(3).Select(Traces.Tree)));
        Assert.Empty(Traces.Orphans(receiver.Traces));
    }

    [Fact]
    public async Task TwentyLoans_LeaveNoOrphanSpan()
    {
        await using var receiver = await SpanReceiver.StartAsync();
        var (a, b) = (RedisFixture.Unique("server-a"), RedisFixture.Unique("server-b"));
        var (portA, portB) = (RedisProcess.FreePort(), RedisProcess.FreePort());
        await using var borrower = await MeshProcess.ServerAsync(redis, a, portA, [(b, portB)], environment: receiver.Environment("borrower"));
        await using var owner = await MeshProcess.ServerAsync(
            redis, b, portB, [(a, portA)], new() { ["Balancing__MinWorkersBeforeSharing"] = "0" }, receiver.Environment("owner"));
        var guests = new List<MeshProcess>();
        try
        {
            for (var i = 0; i < Guests; i++)
            {
                guests.Add(await MeshProcess.WorkerAsync(redis, $"w{i}", owner, new() { ["WorkTime"] = "00:00:00.050" }, receiver.Environment($"worker-{i}")));
            }

            MeshProcess[] all = [.. guests, owner];
            var user = RedisFixture.Unique("maria");
            await borrower.SetBalanceAsync(user, 0);
            await borrower.StatusAsync("the peer is alive", status => (bool)status["peers"]![0]!["alive"]!, all);
            Trace[] traces = [];
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
                traces = receiver.Traces;
            }

            await Eventually.HoldsAsync(
                "the ends of all tasks and loans, and no orphan",
                () => (traces = receiver.Traces).Length > 0
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
