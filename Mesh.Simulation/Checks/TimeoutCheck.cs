using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Checks that a server ends an attempt that has run longer than the timeout of its task.</summary>
internal sealed class TimeoutCheck(SimWorld world)
{
    /// <summary>Clocks run at slightly different rates, and a busy server is told the time later.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    private const double ClockTolerance = 1.02;

    private readonly Dictionary<TaskId, TimeSpan> _timeouts = [];
    /// <summary>The attempts that each process has begun or resumed. A new process has a new core.</summary>
    private readonly Dictionary<(ServerNode Server, TaskId Task), (ServerCore Core, TimeSpan At)> _started = [];

    /// <summary>Called before a task with a timeout is submitted.</summary>
    public void Expect(TaskId task, TimeSpan timeout) => _timeouts[task] = timeout;

    /// <summary>Called when a task is sent to a worker, or when a worker resumes it.</summary>
    public void OnAttempt(ServerNode server, TaskId task)
    {
        if (_timeouts.ContainsKey(task))
        {
            _started[(server, task)] = (server.Core!, world.Scheduler.Now);
        }
    }

    /// <summary>Called when an attempt has ended for the server, so that its task waits for another one. A server that stops lets the worker go on.</summary>
    public void OnPutBack(ServerNode server, TaskId task) => _started.Remove((server, task));

    /// <summary>Called when a server answers a RUNNING. A server that has restarted and stops resumes no attempt, and lets the worker go on.</summary>
    public void OnRunningAnswered(ServerNode server, TaskId task, bool cancel)
    {
        if (!cancel && _started.TryGetValue((server, task), out var started) && started.Core == server.Core
            && world.Scheduler.Now - started.At > (_timeouts[task] * ClockTolerance) + Tolerance)
        {
            throw new InvariantViolation(Invariant.TimeoutsEndAttempts, $"{server.Name} lets {task} go on, which has run for {world.Scheduler.Now - started.At} of {_timeouts[task]}");
        }
    }
}
