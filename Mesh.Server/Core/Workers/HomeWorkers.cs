using Mesh.Protocol;

namespace Mesh.Server.Core.Workers;

/// <summary>
/// The workers at home: connected workers of this server without a loan. They are grouped by the task types that they handle. Each change of a <see cref="WorkerEntry"/> updates
/// the groups, so that no heartbeat, balancing round or request of a peer goes through all workers.
/// </summary>
/// <param name="own">This server.</param>
internal sealed class HomeWorkers(ServerId own)
{
    private readonly Dictionary<TaskTypeSet, HomeGroup> _groups = [];

    public IReadOnlyCollection<HomeGroup> Groups => _groups.Values;

    /// <summary>All connected workers: those at home, those that leave or return, and the borrowed ones.</summary>
    public ConnectedWorkers Connected { get; } = new();

    /// <summary>The number of workers at home that are not limited because of failures.</summary>
    public int Available { get; private set; }

    /// <summary>The number of available workers that run no task.</summary>
    public int Idle { get; private set; }

    /// <summary>Called after each change of a worker.</summary>
    public void Update(WorkerEntry worker)
    {
        Connected.Update(worker);
        var place = PlaceOf(worker);
        if (place == worker.HomePlace)
        {
            return;
        }

        Count(worker, worker.HomePlace, -1);
        worker.HomePlace = place;
        Count(worker, place, 1);
    }

    private HomePlace PlaceOf(WorkerEntry worker)
    {
        if (worker.IsRemoved || worker.IsGone || worker.HasLoan || worker.Home != own)
        {
            return default;
        }

        var isAvailable = !worker.Health.IsLimited;
        return new HomePlace(worker.Handles, !worker.Health.IsSetAside, isAvailable, isAvailable && worker.Running.Count == 0);
    }

    private void Count(WorkerEntry worker, in HomePlace place, int change)
    {
        if (place.Handles is not { } handles)
        {
            return;
        }

        if (!_groups.TryGetValue(handles, out var group))
        {
            _groups.Add(handles, group = new HomeGroup(handles));
        }

        group.Workers += change;
        group.Serving += place.IsServing ? change : 0;
        group.Available += place.IsAvailable ? change : 0;
        Available += place.IsAvailable ? change : 0;
        if (place.IsIdle)
        {
            Idle += change;
            group.ChangeIdle(worker, change > 0);
        }

        if (group.Workers == 0)
        {
            _groups.Remove(handles);
        }
    }
}

/// <summary>How a worker counts among the <see cref="HomeWorkers"/>.</summary>
/// <param name="Handles">Its types, or null when it is not at home.</param>
/// <param name="IsServing">True when it is not set aside.</param>
internal readonly record struct HomePlace(TaskTypeSet? Handles, bool IsServing, bool IsAvailable, bool IsIdle);

/// <summary>The workers at home that handle the same task types.</summary>
internal sealed class HomeGroup(TaskTypeSet handles)
{
    /// <summary>The idle workers, those that are idle for the longest time first. The second list has those whose last loan was a short one.</summary>
    private readonly LinkedList<WorkerEntry> _idle = [], _idleAfterShortLoan = [];

    public TaskTypeSet Handles => handles;

    /// <summary>The number of workers.</summary>
    public int Workers { get; set; }

    /// <summary>The number of workers that are not set aside.</summary>
    public int Serving { get; set; }

    /// <summary>The number of workers that are not limited because of failures.</summary>
    public int Available { get; set; }

    /// <summary>Adds or removes a worker that is available and runs no task.</summary>
    public void ChangeIdle(WorkerEntry worker, bool isIdle)
    {
        if (isIdle)
        {
            (worker.LastShortLoan == default ? _idle : _idleAfterShortLoan).AddLast(worker.IdleNode);
        }
        else
        {
            worker.IdleNode.List!.Remove(worker.IdleNode);
        }
    }

    /// <summary>Returns idle workers to choose from: up to a number of those of which a get_task is held, and as many others. Those after a short loan come last.</summary>
    public IEnumerable<WorkerEntry> FindIdle(int most, DateTimeOffset now)
    {
        var (waiting, others) = (most, most);
        foreach (var worker in _idle.Concat(_idleAfterShortLoan))
        {
            if (waiting <= 0)
            {
                yield break;
            }

            if (worker.IgnoredRedirects.NotLentUntil > now)
            {
                continue;
            }

            if (worker.PendingPolls.Count > 0)
            {
                waiting--;
                yield return worker;
            }
            else if (others-- > 0)
            {
                yield return worker;
            }
        }
    }
}
