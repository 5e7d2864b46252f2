using System.Diagnostics;
using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Core.Tasks;

/// <summary>docs/operations.md, "Delayed tasks": a million of them cost memory, and no time until they are due.</summary>
[Collection(SequentialTests.Name)]
[Trait("Speed", "Slow")]
public sealed class ManyDelayedTasksTests(ITestOutputHelper output)
{
    private const int Count = 1_000_000;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The limits are ten times what a slow machine needs. A cost that grew with the number of tasks would exceed them by far.</summary>
    [Fact]
    public void Core_WithAMillionDelayedTasks_UsesTheDocumentedMemoryAndNoTime()
    {
        var effects = new Effects();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        var core = new ServerCore(
            new ServerSettings { Id = new("server-a"), Advertise = new("10.0.0.1", 9001), Peers = [], Tasks = new TasksOptions { Capacity = 2 * Count } },
            new StoredState { Tasks = [.. Enumerable.Range(0, Count).Select(Delayed)] },
            Start,
            seed: 1,
            effects);
        var loading = watch.Elapsed;
        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / Count;

        var timer = TimeOf(10_000, i => core.OnTimer(Start.AddTicks(i)));
        var deadline = TimeOf(10_000, i => Assert.NotNull(core.NextDueTime));
        var status = TimeOf(1_000, i => core.GetStatus());
        var list = TimeOf(100, i => Assert.Equal(100, core.ListTasks(TaskState.Scheduled, 100).Count()));
        var cycle = TimeOf(10_000, i => RunTask(core, effects, i));
        watch.Restart();
        for (var now = Start.AddDays(2); core.GetStatus().Scheduled > 0;)
        {
            core.OnTimer(now);
        }

        var due = watch.Elapsed / Count;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{bytes} bytes per task, loaded in {loading.TotalSeconds:0.0} s; OnTimer {timer.TotalMicroseconds:0.00} us, NextDueTime {deadline.TotalMicroseconds:0.00} us, "
            + $"status {status.TotalMicroseconds:0.0} us, list of 100 {list.TotalMicroseconds:0.0} us, task submitted and dispatched {cycle.TotalMicroseconds:0.00} us, "
            + $"queued when due {due.TotalMicroseconds:0.00} us each"));

        Assert.Equal(Count, core.QueueDepth);
        Assert.InRange(bytes, 100, 500);
        Assert.InRange(timer.TotalMicroseconds, 0, 100);
        Assert.InRange(deadline.TotalMicroseconds, 0, 100);
        Assert.InRange(status.TotalMicroseconds, 0, 1_000);
        Assert.InRange(list.TotalMicroseconds, 0, 10_000);
        Assert.InRange(cycle.TotalMicroseconds, 0, 1_000);
    }

    private static TaskRecord Delayed(int number)
    {
        // As many characters as the ids that a server makes.
        var id = string.Create(CultureInfo.InvariantCulture, $"{number:00000000000000000000000000000000}");
        return new TaskRecord(id, new TaskId(id), TaskType.Query, "maria", null, number) { NotBefore = Start.AddDays(1).AddMilliseconds((number * 7919L) % Count) };
    }

    private static TimeSpan TimeOf(int times, Action<int> action)
    {
        action(0);
        var watch = Stopwatch.StartNew();
        for (var i = 1; i <= times; i++)
        {
            action(i);
        }

        return watch.Elapsed / times;
    }

    /// <summary>Submits a task that is due, gives it to a worker and settles it.</summary>
    private static void RunTask(ServerCore core, Effects effects, int number)
    {
        var (session, worker, id) = (new SessionId(1), new WorkerId("w1"), new TaskId($"task-{number}"));
        core.OnSubmit(new Submission([new TaskRecord(id.Value, id, TaskType.Query, "maria", null, 0)]), Start);
        Store(core);
        core.OnMessage(session, Framing.WebSocket, new GetTask(worker) { Tasks = AccountTypes.All }, Start);
        core.OnMessage(session, Framing.WebSocket, new Mesh.Protocol.TaskStatus(TaskOutcome.Ok, TaskType.Query, worker) { Id = id }, Start);
        Store(core);
        effects.Clear();
    }

    private static void Store(ServerCore core)
    {
        while (core.Journal.TryTake() is { } batch)
        {
            core.OnStored(batch, new Dictionary<string, TaskRecord?>(), Start);
        }
    }
}
