namespace Mesh.Simulation;

/// <summary>Faults that wait for something to happen, so that they fall amid it. Each strikes once; what it does comes after the step that set it off.</summary>
internal sealed class Ambush(Scheduler scheduler)
{
    private readonly Dictionary<SimNode, Action<SimNode>> _writes = [];
    private readonly Dictionary<SimNode, Action<SimNode>> _tasks = [];
    private readonly Queue<Action<ServerNode, string>> _loans = new();

    public void AtWrite(ServerNode server, Action<SimNode> strike) => _writes[server] = strike;

    public void AtTask(WorkerNode worker, Action<SimNode> strike) => _tasks[worker] = strike;

    public void AtLoanStep(Action<ServerNode, string> strike) => _loans.Enqueue(strike);

    public void OnWrite(ServerNode server) => Spring(_writes, server);

    public void OnTask(WorkerNode worker) => Spring(_tasks, worker);

    public void OnLoanStep(ServerNode server, string worker)
    {
        if (_loans.TryDequeue(out var strike))
        {
            scheduler.After(TimeSpan.Zero, () => strike(server, worker));
        }
    }

    public void Clear()
    {
        _writes.Clear();
        _tasks.Clear();
        _loans.Clear();
    }

    private void Spring(Dictionary<SimNode, Action<SimNode>> waiting, SimNode node)
    {
        if (waiting.Remove(node, out var strike))
        {
            scheduler.After(TimeSpan.Zero, () => strike(node));
        }
    }
}
