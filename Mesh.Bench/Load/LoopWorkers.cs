using Mesh.Protocol;
using Mesh.Transport;

namespace Mesh.Bench.Load;

/// <summary>Workers that are a loop over a connection.</summary>
internal sealed class LoopWorkers(LoadPlan plan, TaskTimes times) : ILoadWorkers
{
    private readonly List<MeshConnection> _connections = [];

    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var dialer = plan.Server.CreateDialer();
        for (var i = 0; i < plan.Workers; i++)
        {
            _connections.Add(await dialer.DialAsync(plan.Server.Endpoint, plan.Transport, cancellationToken));
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken) => await await Task.WhenAny(_connections.Select((connection, i) =>
        new SimulatedWorker(new WorkerId($"{plan.UserPrefix}{i}"), plan.Slots, connection, times).RunAsync(cancellationToken)));

    public ValueTask DisposeAsync()
    {
        _connections.ForEach(connection => connection.Abort(CloseReason.Done));
        return default;
    }
}
