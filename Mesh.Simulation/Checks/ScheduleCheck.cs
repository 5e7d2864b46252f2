using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Checks that each time of a schedule fires once, and that a server that can fire does so.</summary>
internal sealed class ScheduleCheck(SimWorld world)
{
    /// <summary>A server that has served for this time, with a store that was up, has fired what is due.</summary>
    public static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(5);

    private readonly Dictionary<(ServerNode Owner, string Name), (DateTimeOffset? Time, TaskId? Task)> _last = [];

    /// <summary>Running servers whose stores have lost changes to schedules, which they write again.</summary>
    private readonly HashSet<ServerNode> _mending = [];

    /// <summary>Called when the store of a server has applied a change to a schedule.</summary>
    public void OnWritten(ServerNode owner, StoreOp op)
    {
        var (key, schedule) = ((owner, op.Schedule!.Name), op.Schedule);
        if (op.Task is { } accepted && owner.Store.Tasks.ContainsKey(accepted.WireId))
        {
            world.InvariantChecker.OnScheduled(owner, accepted.Id);
        }

        if (owner.HasStoreLostLease)
        {
            // Another process writes, which does not know the times that the store has lost with the lease. The running process writes its own again, and is checked against them.
            world.Coverage.Count("schedule: fired after the store lost the lease", op.Task is null ? 0 : 1);
            return;
        }

        if (op.Kind == StoreOpKind.DropSchedule)
        {
            _last.Remove(key);
            return;
        }

        if (op.Task is not { } task)
        {
            return;
        }

        if (_last.TryGetValue(key, out var last) && schedule.LastFired <= last.Time && last.Task != task.WireId)
        {
            throw new InvariantViolation(Invariant.ScheduleTimesFireOnce, $"{owner.Name} fires {schedule.LastTask}, and {last.Time:O} has fired");
        }

        if (last.Task == task.WireId)
        {
            world.Coverage.Count("schedule: time written again");
        }

        _last[key] = (schedule.LastFired, task.WireId);
    }

    public void OnFired(ScheduleFired fired)
    {
        world.Coverage.Count("schedule: fired");
        world.Coverage.Count("schedule: times skipped", fired.Skipped > 0 ? 1 : 0);
        world.Coverage.Count("schedule: fired for an adopted server", fired.Task.StoredBy is null ? 0 : 1);
    }

    /// <summary>Called when a Redis has lost changes. A server that runs writes its schedules again; the times that another server has lost fire again.</summary>
    public void OnPowerLoss(ServerNode owner)
    {
        if (owner.Core is null)
        {
            Reset(owner);
        }
        else
        {
            _mending.Add(owner);
        }
    }

    /// <summary>Called when a server has written its schedules again.</summary>
    public void OnRewritten(ServerNode owner) => _mending.Remove(owner);

    /// <summary>Called when the process of a server has ended.</summary>
    public void OnKilled(ServerNode owner)
    {
        if (_mending.Remove(owner))
        {
            Reset(owner);
        }
    }

    /// <summary>Checks that a server has fired the times of its schedules, or of those of an adopted server. Called when there are no faults any more.</summary>
    /// <param name="server">The server that serves the schedule.</param>
    /// <param name="owner">The server that the schedule belongs to.</param>
    public void CheckFired(ServerNode server, ServerNode owner, string name)
    {
        if (server.Core is not { } core || core.IsPaused || core.Footprint.Tasks >= server.Settings.Tasks.Capacity || !owner.Store.Schedules.TryGetValue(name, out var schedule)
            || (server != owner && !core.GetStatus().Adopted.Any(adopted => adopted.Server.Value == owner.Name && server.Now - adopted.Since > SettleTime)))
        {
            return;
        }

        if (schedule.NextTime < server.Now - SettleTime)
        {
            throw new InvariantViolation(Invariant.SchedulesFire, $"{server.Name} has not fired {name} at {schedule.NextTime:O}, and it is {server.Now:O}");
        }

        world.Coverage.Count("schedule: nothing is overdue");
    }

    private void Reset(ServerNode owner)
    {
        foreach (var key in _last.Keys.Where(key => key.Owner == owner).ToList())
        {
            if (owner.Store.Schedules.TryGetValue(key.Name, out var stored))
            {
                _last[key] = (stored.LastFired, null);
            }
            else
            {
                _last.Remove(key);
            }
        }
    }
}
