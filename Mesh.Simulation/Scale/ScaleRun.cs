using System.Globalization;
using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Scale;

/// <summary>
/// Measures a mesh of many servers, each of which knows only a few others. One server gets many tasks at once, and borrows workers of its peers. The cores are those of production. There are
/// no faults; <see cref="SimulationRun"/> simulates those in small meshes.
/// </summary>
public static class ScaleRun
{
    /// <summary>The time until all workers are connected and each has polled.</summary>
    private static readonly TimeSpan StartTime = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Resolution = TimeSpan.FromSeconds(0.1);

    /// <summary>The time after the submission at which the run ends although tasks are left.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(60);

    /// <param name="seed">The seed of all random numbers: which servers know each other, and the times.</param>
    /// <param name="progressed">Called with the virtual time after each second.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public static ScaleReport Run(long seed, ScaleOptions options, Action<TimeSpan>? progressed = null, CancellationToken cancellation = default)
    {
        var mesh = new ScaleMesh(options, new Seeds(seed));
        var hot = mesh.Servers[0];
        RunUntil(StartTime);
        var quiet = Measure(mesh, () => RunUntil(mesh.Elapsed + Minute));
        var submitted = mesh.Elapsed;
        hot.Submit([.. Enumerable.Range(1, options.Tasks).Select(NewTask)]);

        TimeSpan? balanced = null;
        TimeSpan? rested = null;
        var burst = Measure(mesh, () => RunTowardsRest(submitted + Minute, stops: false));
        RunTowardsRest(submitted + Limit, stops: true);
        return new ScaleReport(
            options,
            seed,
            mesh.Servers.Average(server => server.Settings.Peers.Count),
            balanced - submitted,
            TimeSpan.FromSeconds((double)options.Tasks / options.Workers),
            rested - submitted,
            quiet,
            burst,
            mesh.Servers.Sum(server => server.Loans),
            hot.MostLoans,
            hot.BorrowedTime.Count,
            Shares(hot),
            mesh.Steps);

        void RunTowardsRest(TimeSpan end, bool stops)
        {
            while (mesh.Elapsed < end && !(stops && rested is not null))
            {
                RunUntil(mesh.Elapsed + Resolution);
                balanced ??= hot.QueueDepth <= hot.Settings.Balancing.MaxQueueThreshold ? mesh.Elapsed : null;
                rested ??= hot.IsAtRest && mesh.Servers.TrueForAll(server => server.IsAtRest) ? mesh.Elapsed : null;
            }
        }

        void RunUntil(TimeSpan end)
        {
            while (mesh.Elapsed < end)
            {
                cancellation.ThrowIfCancellationRequested();
                var next = mesh.Elapsed + TimeSpan.FromSeconds(1);
                mesh.RunUntil(next < end ? next : end);
                progressed?.Invoke(mesh.Elapsed);
            }
        }
    }

    /// <summary>The time that a worker needs for a task, 1 s on average.</summary>
    internal static TimeSpan DrawWorkTime(Random random) => random.Seconds(0.5, 1.5);

    private static MessageRate Measure(ScaleMesh mesh, Action minute)
    {
        var before = mesh.Servers.ConvertAll(server => (server.MessagesWithPeers, server.MessagesWithWorkers));
        minute();
        var peers = mesh.Servers.Select((server, index) => server.MessagesWithPeers - before[index].MessagesWithPeers).ToList();
        var workers = mesh.Servers.Select((server, index) => server.MessagesWithWorkers - before[index].MessagesWithWorkers);
        return new MessageRate(peers.Average(), workers.Average(), peers.Max());
    }

    private static List<double> Shares(ScaleServer hot)
    {
        var total = hot.BorrowedTime.Values.Sum(time => time.TotalSeconds);
        return [.. hot.Settings.Peers.Select(peer => total > 0 ? hot.BorrowedTime.GetValueOrDefault(peer.Id).TotalSeconds / total : 0).Order()];
    }

    private static TaskRecord NewTask(int number)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"t{number}");
        return new TaskRecord(id, new TaskId(id), TaskType.Query, "Maria", null, 0);
    }
}
