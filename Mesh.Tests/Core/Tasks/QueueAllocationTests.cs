using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;

namespace Mesh.Tests.Core.Tasks;

/// <summary>The queue allocates nothing once it has had its tasks.</summary>
public sealed class QueueAllocationTests
{
    private const int Rounds = 1_000;

    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void EnqueueAndDequeue_TasksOfSeveralTypesAndPriorities_AllocateNothing()
    {
        var registry = new TaskRegistry(new TasksOptions(), new BalancingOptions());
        TaskType[] types = [TaskType.Query, TaskType.Update, new("RESIZE")];
        var handles = TaskTypeSet.Of(types);
        var tasks = Enumerable.Range(0, 30).Select(i => Entry(i, types[i % 3], (byte)(i % 10))).ToArray();

        AssertAllocatesNothing(() =>
        {
            foreach (var task in tasks)
            {
                registry.Enqueue(task, Now);
            }

            while (registry.TryDequeue(handles, Now, out var task))
            {
                task.Step = TaskStep.Running;
            }
        });
        Assert.Equal(0, registry.Depth);
    }

    [Fact]
    public void ScheduleAndTake_Tasks_AllocateNothing()
    {
        var registry = new TaskRegistry(new TasksOptions(), new BalancingOptions());
        var tasks = Enumerable.Range(0, 30).Select(i => Entry(i, TaskType.Query, 4)).ToArray();

        AssertAllocatesNothing(() =>
        {
            for (var i = 0; i < tasks.Length; i++)
            {
                registry.Schedule(tasks[i], Now + TimeSpan.FromSeconds(i * 7 % 30));
            }

            registry.Detach(tasks[3], Now);
            while (registry.Scheduled.TryTakeDue(Now + TimeSpan.FromMinutes(1), out _))
            {
            }
        });
        Assert.Equal(0, registry.Scheduled.Count);
    }

    private static TaskEntry Entry(int number, TaskType type, byte priority) =>
        new(new TaskRecord($"t{number}", new TaskId($"t{number}"), type, null, null, number) { Priority = priority });

    private static void AssertAllocatesNothing(Action action)
    {
        // The first call creates the queues and their arrays.
        action();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Rounds; i++)
        {
            action();
        }

        Assert.Equal(0, (GC.GetAllocatedBytesForCurrentThread() - before) / Rounds);
    }
}
