using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Loop;

namespace Mesh.Tests.Server;

public sealed class TaskWaitersTests
{
    private static readonly TaskRecord Keyed = new("order-1", new TaskId("w1"), TaskType.Query, "maria", null, 1) { Keyed = true };

    [Fact]
    public void Complete_TaskWithSeveralRegistrations_CompletesThemAndNoOthers()
    {
        var waiters = new TaskWaiters(limit: 10);
        using var first = waiters.TryRegister("order-1");
        using var second = waiters.TryRegister("order-1");
        using var byWireId = waiters.TryRegister("w1");
        using var other = waiters.TryRegister("order-2");

        waiters.Complete(Keyed);

        Assert.Equal((true, true, true, false), (first!.Completed.IsCompleted, second!.Completed.IsCompleted, byWireId!.Completed.IsCompleted, other!.Completed.IsCompleted));
    }

    [Fact]
    public void Register_AfterTheTaskWasCompleted_WaitsForItsNextEnd()
    {
        var waiters = new TaskWaiters(limit: 10);
        using var first = waiters.TryRegister("order-1");
        waiters.Complete(Keyed);
        using var again = waiters.TryRegister("order-1");

        first!.Dispose();
        Assert.False(again!.Completed.IsCompleted);
        waiters.Complete(Keyed);

        Assert.True(again.Completed.IsCompleted);
    }

    [Fact]
    public void Register_AtTheLimit_IsRefusedUntilOneIsDisposed()
    {
        var waiters = new TaskWaiters(limit: 2);
        var first = waiters.TryRegister("order-1");
        using var second = waiters.TryRegister("order-1");
        Assert.Null(waiters.TryRegister("order-2"));

        first!.Dispose();
        first.Dispose();

        Assert.Equal(1, waiters.Count);
        using var third = waiters.TryRegister("order-2");
        Assert.NotNull(third);
    }

    [Fact]
    public void Close_RegistrationsBeforeAndAfter_AreComplete()
    {
        var waiters = new TaskWaiters(limit: 10);
        using var before = waiters.TryRegister("order-1");

        waiters.Close();

        using var after = waiters.TryRegister("order-1");
        Assert.True(before!.Completed.IsCompleted && after!.Completed.IsCompleted && waiters.IsClosed);
    }

    [Fact]
    public void Complete_NoRegistration_AllocatesNothing()
    {
        var waiters = new TaskWaiters(limit: 10);
        waiters.Complete(Keyed);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++)
        {
            waiters.Complete(Keyed);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
