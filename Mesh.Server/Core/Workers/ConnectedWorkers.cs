using System.Runtime.InteropServices;
using Mesh.Protocol;

namespace Mesh.Server.Core.Workers;

/// <summary>The numbers of connected workers that handle each task type, own and borrowed ones. Kept up to date, so that a failed task finds without a search that no better worker exists.</summary>
internal sealed class ConnectedWorkers
{
    private readonly Dictionary<TaskType, ConnectedCount> _counts = [];

    /// <summary>Returns the numbers of a task type.</summary>
    public ConnectedCount CountOf(TaskType type) => _counts.GetValueOrDefault(type);

    /// <summary>Called after each change of a worker.</summary>
    public void Update(WorkerEntry worker)
    {
        var place = PlaceOf(worker);
        if (place != worker.ConnectedPlace)
        {
            Count(worker.ConnectedPlace, -1);
            worker.ConnectedPlace = place;
            Count(place, 1);
        }
    }

    private static ConnectedPlace PlaceOf(WorkerEntry worker) =>
        worker.IsRemoved || worker.IsGone || worker.Health.IsSetAside ? default : new(worker.Handles, worker.Health.Failures == 0);

    private void Count(in ConnectedPlace place, int change)
    {
        if (place.Handles is not { } handles)
        {
            return;
        }

        foreach (var type in handles.AsSpan())
        {
            ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, type, out _);
            count = new(count.Serving + change, count.Healthy + (place.IsHealthy ? change : 0));
            if (count.Serving == 0)
            {
                _counts.Remove(type);
            }
        }
    }
}

/// <summary>The numbers of connected workers that handle a task type.</summary>
/// <param name="Serving">Those that are not set aside.</param>
/// <param name="Healthy">Those of them that have not failed since their last success.</param>
internal readonly record struct ConnectedCount(int Serving, int Healthy);

/// <summary>How a worker counts among the <see cref="ConnectedWorkers"/>.</summary>
/// <param name="Handles">Its types, or null when it is not connected or set aside.</param>
internal readonly record struct ConnectedPlace(TaskTypeSet? Handles, bool IsHealthy);
