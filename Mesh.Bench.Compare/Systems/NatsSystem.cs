using Mesh.Bench.Chaos;
using Mesh.Bench.Compare.Running;

namespace Mesh.Bench.Compare.Systems;

/// <summary>A work queue of NATS JetStream in files. Its server is also its store.</summary>
internal sealed class NatsSystem : IComparedSystem
{
    public string Name => "nats";

    public string? FindObstacle(ComparePlan plan)
    {
        if (NatsProcess.FindProgram() is null)
        {
            return "it needs nats-server on the PATH (Debian: apt-get install nats-server).";
        }

        return plan.Fsync == Fsync.Always && !NatsProcess.HasSyncInterval() ? "--fsync always needs nats-server 2.10 or later." : null;
    }

    public async Task<SystemMeasurement> MeasureAsync(ComparePlan plan, string directory, CancellationToken cancellationToken)
    {
        var port = PortAllocator.Next();
        await using var nats = await NatsProcess.StartAsync(port, plan.Fsync, directory, cancellationToken);
        return await GeneratorProcess.MeasureAsync(Name, GeneratorProcess.OfThisProgram(Name, plan, port), plan, nats, store: null, cancellationToken);
    }
}
