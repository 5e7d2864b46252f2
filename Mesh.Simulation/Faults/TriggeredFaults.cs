using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Faults;

/// <summary>Faults that wait for an event and happen during it. Each happens once, after the step that triggered it.</summary>
internal sealed class TriggeredFaults(Scheduler scheduler)
{
    private readonly Dictionary<SimNode, Action<SimNode>> _writes = [];
    private readonly Dictionary<SimNode, Action<SimNode>> _followUps = [];
    private readonly Dictionary<SimNode, Action<SimNode>> _tasks = [];
    private readonly Queue<Action<ServerNode, string>> _loans = new();
    private readonly Queue<Action<ServerNode>> _deadLetterPages = new();

    public void OnNextWrite(ServerNode server, Action<SimNode> inject) => _writes[server] = inject;

    public void OnNextFollowUps(ServerNode server, Action<SimNode> inject) => _followUps[server] = inject;

    public void OnNextTask(WorkerNode worker, Action<SimNode> inject) => _tasks[worker] = inject;

    public void OnNextLoanStep(Action<ServerNode, string> inject) => _loans.Enqueue(inject);

    public void OnNextDeadLetterPage(Action<ServerNode> inject) => _deadLetterPages.Enqueue(inject);

    public void OnWrite(ServerNode server) => Trigger(_writes, server);

    public void OnFollowUps(ServerNode server) => Trigger(_followUps, server);

    public void OnTask(WorkerNode worker) => Trigger(_tasks, worker);

    public void OnLoanStep(ServerNode server, string worker)
    {
        if (_loans.TryDequeue(out var inject))
        {
            scheduler.After(TimeSpan.Zero, () => inject(server, worker));
        }
    }

    public void OnDeadLetterPage(ServerNode server)
    {
        if (_deadLetterPages.TryDequeue(out var inject))
        {
            scheduler.After(TimeSpan.Zero, () => inject(server));
        }
    }

    public void Clear()
    {
        _writes.Clear();
        _followUps.Clear();
        _tasks.Clear();
        _loans.Clear();
        _deadLetterPages.Clear();
    }

    private void Trigger(Dictionary<SimNode, Action<SimNode>> waiting, SimNode node)
    {
        if (waiting.Remove(node, out var inject))
        {
            scheduler.After(TimeSpan.Zero, () => inject(node));
        }
    }
}
