using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Tests.Fixtures;

namespace Mesh.Tests.Core.Loans;

/// <summary>The owner's side of loans for tasks of several types.</summary>
public sealed class LenderTypeTests
{
    private static readonly TaskTypeSet Resizes = TaskTypeSet.Of(new TaskType("RESIZE"));
    private readonly CoreHarness _mesh = new();

    [Fact]
    public void Request_WithTypes_LendsAWorkerThatHandlesOne()
    {
        _mesh.Ask("w1", tasks: AccountTypes.All);
        _mesh.Ask("w2", tasks: Resizes);
        _mesh.Ask("w3", tasks: Resizes);
        Assert.Equal(["w2"], _mesh.Last<Available>(Request(Resizes)).Workers.Select(worker => worker.Value));
        Assert.Equal(LoanState.Lent, _mesh.LoanOf("w2"));

        // w3 is the last worker of its type.
        _mesh.Last<Unavailable>(Request(Resizes));
    }

    [Fact]
    public void Request_TypesOfNoWorker_IsRefused()
    {
        _mesh.Ask("w1", tasks: AccountTypes.All);
        _mesh.Ask("w2", tasks: AccountTypes.All);
        _mesh.Last<Unavailable>(Request(Resizes));
    }

    [Fact]
    public void Request_LimitedWorkerOfTheType_DoesNotCountAsStaying()
    {
        _mesh.Ask("w1", tasks: Resizes);
        _mesh.Ask("w2", tasks: Resizes);
        _mesh.Ask("w3", tasks: AccountTypes.Query);
        _mesh.Core.FindWorker(new WorkerId("w1"))!.Health = WorkerHealthWithStrike();
        _mesh.Last<Unavailable>(Request(Resizes));
    }

    [Fact]
    public void Request_AboveTheHighMark_LendsWorkersOfNoUseHere()
    {
        _mesh.Ask("w1", tasks: Resizes);
        _mesh.Ask("w2", tasks: Resizes);
        _mesh.Submit(16, TaskType.Update);
        Assert.Equal(["w1"], _mesh.Last<Available>(Request(Resizes)).Workers.Select(worker => worker.Value));
    }

    private static Mesh.Server.Core.Workers.WorkerHealth WorkerHealthWithStrike() => new() { Failures = 1, Strikes = 1 };

    private SessionId Request(TaskTypeSet types) =>
        _mesh.Say(new WorkerRequest(CoreHarness.PeerEndpoint) { WorkersNeeded = 5, Server = CoreHarness.Peer, Tasks = types });
}
