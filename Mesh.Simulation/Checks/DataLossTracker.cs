using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Stores;

namespace Mesh.Simulation.Checks;

/// <summary>
/// The acknowledged tasks and marks that a Redis has lost and that may be missing: those whose write was in the lost end of its log, and nothing older.
/// A task that a server has in memory may not be missing once that server has detected the loss, because the server writes it again.
/// </summary>
internal sealed class DataLossTracker(SimWorld world)
{
    private readonly HashSet<(ServerNode Server, string Id)> _ids = [];
    private readonly HashSet<TaskId> _tasks = [];
    private readonly HashSet<(string User, TaskId Task)> _marks = [];

    /// <summary>The tasks whose end was lost at some time.</summary>
    private readonly HashSet<TaskId> _unsettledAgain = [];

    /// <summary>The running servers that have not yet detected a loss of their store, with the lost tasks that they have in memory.</summary>
    private readonly Dictionary<ServerNode, List<TaskRecord>> _behind = [];

    /// <summary>Whether an accepted task, by the client's id, may be missing.</summary>
    public bool MayBeLost(ServerNode server, string id) => _ids.Contains((server, id));

    /// <summary>Whether an update may have been applied although its task is not done.</summary>
    public bool MayBeLost(TaskId task) => _tasks.Contains(task);

    /// <summary>Whether a Redis has lost the end of a task, so that it runs again.</summary>
    public bool IsUnsettledAgain(TaskId task) => _unsettledAgain.Contains(task);

    /// <summary>Whether the ledger may have lost the mark of an applied or closed task.</summary>
    public bool MayLoseMark(string user, TaskId task) => _marks.Contains((user, task));

    /// <summary>Whether the memory of this server is newer than its store.</summary>
    public bool IsStoreStale(ServerNode server) => _behind.ContainsKey(server);

    public void LosePower(SimRedis redis, TimeSpan unsafeFor)
    {
        var servers = world.Servers.Where(server => server.Store.Redis == redis).ToList();
        var before = servers.Select(server => Stored(server.Store).ToList()).ToList();
        var marks = world.Ledger.Redis == redis ? world.Ledger.Marked.ToList() : [];
        redis.LosePower(unsafeFor);
        marks.RemoveAll(mark => world.Ledger.Marked.Contains(mark));
        _marks.UnionWith(marks);
        world.Coverage.Count("power loss: marks lost", marks.Count);
        for (var i = 0; i < servers.Count; i++)
        {
            RecordLost(servers[i], before[i]);
            world.ScheduleCheck.OnPowerLoss(servers[i]);
            world.InvariantChecker.Cancels.ForgetLost(servers[i]);
            world.InvariantChecker.DeadLetters.ForgetLost(servers[i]);
        }
    }

    /// <summary>Called when a server has written the lost tasks again.</summary>
    public void OnRewritten(ServerNode server)
    {
        world.ScheduleCheck.OnRewritten(server);
        if (_behind.Remove(server, out var kept))
        {
            world.Coverage.Count("power loss: a living server mended its store");
            world.Coverage.Count("power loss: tasks kept by a living server", kept.Count);
            foreach (var task in kept)
            {
                _ids.Remove((server, task.Id));
                _tasks.Remove(task.WireId);
            }
        }
    }

    /// <summary>Called when the process of a server has ended.</summary>
    public void OnKilled(ServerNode server)
    {
        if (_behind.Remove(server))
        {
            world.InvariantChecker.Cancels.ForgetLost(server);
        }

        world.ScheduleCheck.OnKilled(server);
    }

    private static IEnumerable<TaskRecord> Stored(SimStore store) => store.Tasks.Values.Concat(store.Results.Values).Concat(store.Dead.Values);

    private void RecordLost(ServerNode server, List<TaskRecord> before)
    {
        var tasks = Stored(server.Store).Select(task => task.WireId).ToHashSet();
        var ids = Stored(server.Store).Select(task => task.Id).ToHashSet();
        var lost = before.Where(task => !tasks.Contains(task.WireId)).ToList();
        world.Coverage.Count("power loss: tasks lost", lost.Count);
        world.Coverage.Count("power loss: tasks unsettled again", before.Count(task => task.State is TaskState.Done or TaskState.Dead or TaskState.Cancelled && server.Store.Tasks.ContainsKey(task.WireId)));
        _unsettledAgain.UnionWith(before.Where(task => task.State is TaskState.Done or TaskState.Dead or TaskState.Cancelled && server.Store.Tasks.ContainsKey(task.WireId)).Select(task => task.WireId));
        _tasks.UnionWith(lost.Select(task => task.WireId));
        _ids.UnionWith(lost.Where(task => !ids.Contains(task.Id)).Select(task => (server, task.Id)));
        if (server.Core is not { } core)
        {
            return;
        }

        if (!_behind.TryGetValue(server, out var kept))
        {
            _behind.Add(server, kept = []);
        }

        var inMemory = core.ListTasks(TaskState.Queued, int.MaxValue).Concat(core.ListTasks(TaskState.Running, int.MaxValue))
            .Concat(core.ListTasks(TaskState.Scheduled, int.MaxValue)).Select(task => task.WireId).ToHashSet();
        kept.AddRange(lost.Where(task => inMemory.Contains(task.WireId) && !IsBeingAccepted(server, task)));
    }

    /// <summary>True for a stored task whose submission is not answered yet. The submission is refused when the loss is detected.</summary>
    private bool IsBeingAccepted(ServerNode server, TaskRecord task) => !world.InvariantChecker.AcceptedBy(server).Contains(task.Id);
}
