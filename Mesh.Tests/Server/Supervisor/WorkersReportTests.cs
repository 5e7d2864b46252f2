using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Supervisor;

namespace Mesh.Tests.Server.Supervisor;

/// <summary>docs/operations.md, "Reports to a supervisor": how a worker counts by its state.</summary>
public sealed class WorkersReportTests
{
    [Theory]
    [InlineData("Idle", 1, 0)]
    [InlineData("Busy", 1, 0)]
    [InlineData("Leaving", 1, 0)]
    [InlineData("Lent", 0, 0)]
    [InlineData("Gone", 0, 1)]
    [InlineData("SetAside", 0, 1)]
    public void Worker_InAState_CountsAsAliveOrFailed(string state, int alive, int failed)
    {
        var self = new ServerId("server-a");
        var worker = new WorkerStatus(new WorkerId("w1"), self, Enum.Parse<WorkerState>(state), null);
        var status = new ServerStatus(self, new MeshEndpoint("localhost", 9001), Queue: 0, Running: 0, Done: 0, Dead: 0, Paused: false, [worker], [], [], []);

        var workers = SupervisorReportBuilder.Of(status, new MachineMetrics().Read(), maxQueue: 15, TimeProvider.System.GetUtcNow()).Performance.FarmState.Workers;

        Assert.Equal((1, alive, failed), (workers.TotalRegistered, workers.WorkersAlive, workers.WorkersFailed));
    }
}
