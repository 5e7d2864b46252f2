using System.Globalization;
using System.Text;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Stores;
using Mesh.Simulation.Time;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Simulation.Checks;

/// <summary>
/// Draws the tasks that a handler submits with its result, and checks that they are accepted once, all or none, and not before their parent is done. A task submits the same tasks in
/// each of its attempts.
/// </summary>
internal sealed class FollowUpCheck(SimWorld world, Seeds seeds)
{
    private const int MaxDepth = 3;

    private static readonly string[] Users = ["Maria", "Joao", "Ana", "Pedro", "Carla"];

    /// <summary>The ids of the follow-ups of each task whose handler has returned some.</summary>
    private readonly Dictionary<TaskId, string[]> _followUps = [];

    private readonly Dictionary<TaskId, (TaskId Parent, int Depth)> _parents = [];

    /// <summary>The tasks that may be done without their follow-ups: a node that sends no THEN has reported them as done, the ledger was asked, or they were cancelled before they were done.</summary>
    private readonly HashSet<TaskId> _mayLackFollowUps = [];

    /// <summary>
    /// Whether a task can be submitted again with its TASK_ID, because a Redis has lost the end of its parent. A parent that is a follow-up can have been lost as a whole: then the end of
    /// its own parent was lost.
    /// </summary>
    public bool MayBeSubmittedAgain(TaskId task) =>
        _parents.TryGetValue(task, out var known) && (world.DataLossTracker.IsUnsettledAgain(known.Parent) || MayBeSubmittedAgain(known.Parent));

    /// <summary>Returns the THEN of a handler's result, or null.</summary>
    public RawJson? ThenOf(string server, NewTask task)
    {
        if (task.Id is not { } id || !world.Servers.Exists(ours => ours.Name == server))
        {
            return null;
        }

        var depth = _parents.TryGetValue(id, out var parent) ? parent.Depth : 0;
        var random = seeds.For($"then of {id}");
        if (depth >= MaxDepth || !random.Chance(depth == 0 ? 0.08 : 0.4))
        {
            return null;
        }

        var (json, ids) = (new StringBuilder("["), new string[random.From(1, 3)]);
        for (var i = 0; i < ids.Length; i++)
        {
            var child = FollowUpId.Of(id, i);
            _parents[child] = (id, depth + 1);
            ids[i] = random.Chance(0.25) ? $"own-{child}" : child.Value;
            var user = random.Chance(0.05) ? "nobody" : random.Pick(Users);
            json.Append(i == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $$"""{"user":"{{user}}",{{(ids[i] == child.Value ? "" : $"\"id\":\"{ids[i]}\",")}}""")
                .Append(random.Chance(0.5) ? "\"type\":\"QUERY\"}" : "\"type\":\"UPDATE\",\"amount\":0.25}");
        }

        world.Coverage.Count(depth == 0 ? "follow-up: returned by a handler" : "follow-up: returned by the handler of a follow-up");
        _followUps[id] = ids;
        return RawJson.Copy(Encoding.UTF8.GetBytes(json.Append(']').ToString()));
    }

    /// <summary>Called before a server handles a status.</summary>
    /// <param name="answered">The task that it answers.</param>
    public void OnStatus(ServerNode server, TaskId? answered, TaskStatus status)
    {
        if (answered is { } task && status.Outcome == TaskOutcome.Ok
            && (status.Then is null || server.Core!.Unsettled.Any(entry => entry.Id == task && entry.IsCancelRequested)))
        {
            _mayLackFollowUps.Add(task);
        }
    }

    /// <summary>Called before the ledger decides whether an update is done.</summary>
    public void OnGivenUp(TaskId task) => _mayLackFollowUps.Add(task);

    public void OnDispatch(ServerNode server, TaskEntry task)
    {
        if (!_parents.TryGetValue(task.Id, out var known) || !server.MayServe(task.Record.StoredBy) || world.DataLossTracker.IsStoreStale(server))
        {
            return;
        }

        world.Coverage.Count("follow-up: given out");
        var store = task.Record.StoredBy is { } adopted ? world.Servers.Find(other => other.Name == adopted.Value)!.Store : server.Store;
        if (store.Tasks.ContainsKey(known.Parent) && !world.DataLossTracker.IsUnsettledAgain(known.Parent) && !world.DataLossTracker.MayBeLost(known.Parent))
        {
            throw new InvariantViolation(Invariant.FollowUpsOnce, $"{server.Name} gives out {task.Id}, and {known.Parent}, which submits it, is not done");
        }

        if (store.Results.TryGetValue(task.Record.Id, out var done) && done.WireId == task.Id)
        {
            throw new InvariantViolation(Invariant.FollowUpsOnce, $"{server.Name} gives out {task.Id} again, which is done");
        }
    }

    /// <summary>Checks the stored tasks at rest.</summary>
    public void Check()
    {
        var done = world.Servers.SelectMany(server => server.Store.Results.Values).Where(task => task.State == TaskState.Done).Select(task => task.WireId).ToHashSet();
        foreach (var (parent, ids) in _followUps)
        {
            var stored = ids.Count(IsStored);
            var lost = ids.Count(id => !IsStored(id) && world.Servers.Exists(server => world.DataLossTracker.MayBeLost(server, id) || world.InvariantChecker.DeadLetters.IsDeleted(server, id)));
            world.Coverage.Count("end: follow-ups", stored);
            if (!done.Contains(parent))
            {
                if (stored > 0 && !world.DataLossTracker.IsUnsettledAgain(parent) && !world.DataLossTracker.MayBeLost(parent))
                {
                    throw new InvariantViolation(Invariant.FollowUpsOnce, $"{parent} is not done, and {stored} of the {ids.Length} tasks that it submits are accepted");
                }
            }
            else if (stored + lost < ids.Length && !(stored == 0 && _mayLackFollowUps.Contains(parent)))
            {
                throw new InvariantViolation(Invariant.FollowUpsOnce, $"{parent} is done, and {stored} of the {ids.Length} tasks that it submits are accepted");
            }
        }
    }

    private bool IsStored(string id) => world.Servers.Exists(server => Contains(server.Store, id));

    private static bool Contains(SimStore store, string id) =>
        store.Results.ContainsKey(id) || store.Dead.ContainsKey(id) || store.Tasks.Values.Any(task => task.Id == id);
}
