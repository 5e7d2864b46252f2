using Mesh.Server.Core.Tasks;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Nodes;

/// <summary>Gives the tasks of one client priorities, times and limits, each to some of them.</summary>
/// <param name="server">The server whose clock a delay is counted by.</param>
/// <param name="random">Random numbers of its own, so that the tasks themselves do not depend on it.</param>
internal sealed class TaskVariation(ServerNode server, Random random)
{
    public TaskRecord Apply(TaskRecord task) => task with
    {
        Priority = random.Chance(0.5) ? null : (byte)random.Next(TaskRecord.MaxPriority + 1),
        NotBefore = random.Chance(0.2) ? server.Now + random.Seconds(-5, 30) : null,
        Limits = random.Chance(0.2) ? DrawLimits() : null,
    };

    private TaskLimits DrawLimits()
    {
        int? attempts = random.Chance(0.5) ? random.From(1, 5) : null;
        if (random.Chance(0.5))
        {
            return new TaskLimits(attempts, Timeout: null, Retry: null);
        }

        var delay = random.Seconds(0, 3);
        return new TaskLimits(attempts, Timeout: null, new RetryDelays(delay, random.From(1.0, 5.0), delay + random.Seconds(0, 10)));
    }
}
