using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Core.Tasks;

/// <summary>docs/operations.md, "Priorities": the order in which queued tasks are dispatched.</summary>
public sealed class PriorityTests
{
    private static readonly TimeSpan Age = new TasksOptions().PriorityAge;
    private static readonly TaskType Resize = new("RESIZE");

    private readonly CoreHarness _mesh = new();
    private int _tasks;

    [Fact]
    public void Tasks_OfSeveralPriorities_AreDispatchedHighestFirst()
    {
        Submit(("low", 0), ("default", null), ("high", 9), ("four", 4), ("high too", 9), ("five", 5));

        Assert.Equal(["high", "high too", "five", "default", "four", "low"], Dispatched());
    }

    [Fact]
    public void Tasks_OfSeveralTypes_AreDispatchedHighestFirst()
    {
        Submit(Resize, ("resize 3", 3));
        Submit(("query 3", 3), ("query 8", 8));
        Submit(Resize, ("resize 9", 9), ("resize 8", 8));

        Assert.Equal(["resize 9", "query 8", "resize 8", "resize 3", "query 3"], Dispatched());
    }

    [Fact]
    public void Tasks_OfOnePriority_StayInTheirOrder()
    {
        for (var i = 0; i < 20; i++)
        {
            Submit(i % 2 == 0 ? TaskType.Query : Resize, ($"{i}", 7));
            _mesh.Pass(TimeSpan.FromMilliseconds(i));
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), Dispatched());
    }

    [Theory]
    [InlineData(0, 9)]
    [InlineData(3, 4)]
    [InlineData(4, 9)]
    public void LowerPriority_AfterItsAge_ComesFirst(byte low, byte high)
    {
        Submit(("low", low));
        _mesh.Pass((high - low) * Age);
        Submit(("high", high));
        Assert.Equal(["low", "high"], Dispatched());

        Submit(("low", low));
        _mesh.Pass(((high - low) * Age) - TimeSpan.FromTicks(1));
        Submit(("high", high));
        Assert.Equal(["high", "low"], Dispatched());
    }

    /// <summary>A worker is always behind with tasks of the highest priority. The task of the lowest one waits for those that came within the bound, and for no other.</summary>
    [Fact]
    public void LowestPriority_UnderConstantLoadOfHigher_WaitsNotLongerThanTheBound()
    {
        var session = _mesh.NewSession();
        Submit(Enumerable.Range(0, 50).Select(i => ($"first {i}", (byte?)9)).ToArray());
        Submit(("low", 0));
        var started = _mesh.Now;
        for (var i = 0; !_mesh.To(session).OfType<NewTask>().Any(task => task.Id!.Value.Value == "low"); i++)
        {
            Assert.True(i < 1_000, "the task starves");
            Submit(($"later {i}", 9));
            _mesh.Ask("w1", session, tasks: TaskTypeSet.Of(TaskType.Query, Resize));
            Finish(session);
            _mesh.Pass(TimeSpan.FromSeconds(1));
        }

        // 51 tasks of one second each, and those that came in the 90 s after it.
        Assert.Equal((9 * Age) + TimeSpan.FromSeconds(51), _mesh.Now - started);
    }

    [Fact]
    public void PriorityAge_Zero_IgnoresPriorities()
    {
        var mesh = new CoreHarness(settings => settings with { Tasks = new TasksOptions { PriorityAge = TimeSpan.Zero } });
        mesh.Submit(new Submission([Record("first", 0), Record("second", 9)]));

        Assert.Equal("first", mesh.Last<NewTask>(mesh.Ask("w1")).Id!.Value.Value);
    }

    [Fact]
    public void Retry_BesideATaskOfHigherPriority_ComesFirst()
    {
        Submit(("retry", 0));
        var session = _mesh.Ask("w1");
        _mesh.Say(session, new TaskStatus(TaskOutcome.Nok, TaskType.Query, new WorkerId("w1")) { Id = new TaskId("retry") });
        Submit(("high", 9));
        _mesh.Pass(TimeSpan.FromSeconds(1));

        Assert.Equal(["retry", "high"], Dispatched());
    }

    [Fact]
    public void StoredTasks_OfARestartedServer_AreDispatchedHighestFirst()
    {
        var mesh = new CoreHarness(stored: new StoredState { Tasks = [Record("b", 4) with { Sequence = 2 }, Record("c", 9) with { Sequence = 3 }, Record("a", 4) with { Sequence = 1 }] });
        var session = mesh.NewSession();
        for (var i = 0; i < 3; i++)
        {
            mesh.Ask("w1", session);
        }

        Assert.Equal(["c", "a", "b"], mesh.To(session).OfType<NewTask>().Select(task => task.Id!.Value.Value));
    }

    /// <summary>Tasks come, are settled while they wait, and are dispatched in any sequence. Each time, the task that the definition names is dispatched.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Dispatch_RandomTasks_FollowsTheDefinition(int seed)
    {
        var random = new Random(seed);
        var waiting = new List<(string Id, TaskType Type, long Key)>();
        TaskType[] types = [TaskType.Query, Resize, new("COPY")];
        for (var step = 0; step < 2_000; step++)
        {
            _mesh.Pass(TimeSpan.FromSeconds(random.Next(5)));
            switch (random.Next(5))
            {
                case 0 or 1:
                    var (id, type, priority) = ($"{step}", types[random.Next(3)], (byte)random.Next(10));
                    Submit(type, (id, priority));
                    waiting.Add((id, type, _mesh.Now.Ticks - (priority * Age.Ticks)));
                    break;
                case 2 when waiting.Count > 0:
                    // A worker from before a restart reports a task that waits.
                    var settled = waiting[random.Next(waiting.Count)];
                    _mesh.Say(new TaskStatus(TaskOutcome.Ok, settled.Type, new WorkerId("w0")) { Id = new TaskId(settled.Id) });
                    waiting.Remove(settled);
                    break;
                default:
                    var handles = TaskTypeSet.Of(types[random.Next(3)], types[random.Next(3)]);
                    if (waiting.FindAll(task => handles.Contains(task.Type)) is { Count: > 0 } suitable)
                    {
                        var expected = suitable.MinBy(task => task.Key);
                        var session = _mesh.Ask("w1", tasks: handles);
                        Assert.Equal(expected.Id, _mesh.Last<NewTask>(session).Id!.Value.Value);
                        Finish(session);
                        waiting.Remove(expected);
                    }

                    break;
            }

            Assert.Equal(waiting.Count, _mesh.Core.QueueDepth);
        }
    }

    private static TaskRecord Record(string id, byte? priority, TaskType? type = null) =>
        new(id, new TaskId(id), type ?? TaskType.Query, type is null ? "Maria" : null, null, 0) { Priority = priority };

    private void Submit(params (string Id, byte? Priority)[] tasks) => _mesh.Submit(new Submission([.. tasks.Select(task => Record(task.Id, task.Priority))]));

    private void Submit(TaskType type, params (string Id, byte? Priority)[] tasks) => _mesh.Submit(new Submission([.. tasks.Select(task => Record(task.Id, task.Priority, type))]));

    private void Finish(SessionId session)
    {
        var task = _mesh.Last<NewTask>(session);
        _mesh.Say(session, new TaskStatus(TaskOutcome.Ok, task.Type, new WorkerId("w1")) { Id = task.Id });
    }

    /// <summary>Has a worker do all queued tasks, and returns their ids in the order in which they were dispatched.</summary>
    private List<string> Dispatched()
    {
        var session = _mesh.NewSession();
        while (_mesh.Core.QueueDepth > 0)
        {
            _mesh.Ask($"w{++_tasks}", session, tasks: TaskTypeSet.Of(TaskType.Query, Resize));
            var task = _mesh.Last<NewTask>(session);
            _mesh.Say(session, new TaskStatus(TaskOutcome.Ok, task.Type, new WorkerId($"w{_tasks}")) { Id = task.Id });
        }

        return [.. _mesh.To(session).OfType<NewTask>().Select(task => task.Id!.Value.Value)];
    }
}
