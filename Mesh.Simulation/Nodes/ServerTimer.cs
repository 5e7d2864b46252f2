using Mesh.Server.Core;
using Mesh.Server.Loop;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Time;

namespace Mesh.Simulation.Nodes;

/// <summary>Wakes the core of a server at its next deadline, and detects a core that never stops to request a wake-up.</summary>
internal sealed class ServerTimer(SimWorld world, ServerNode node)
{
    public static readonly TimeSpan Resolution = TimeSpan.FromMilliseconds(1);

    private DateTimeOffset? _armed;
    private long _timer;
    private TimeSpan _lastWake;
    private int _immediateWakeups;

    public long Wakes { get; private set; }

    public void Reset() => _armed = null;

    public void Arm(ServerCore core, NodeClock clock)
    {
        var next = core.NextDueTime;
        if (world.Mutation == Mutation.NeedlessWakeups && !(next < clock.Now + TimeSpan.FromSeconds(1)))
        {
            next = _armed ?? clock.Now + TimeSpan.FromSeconds(1);
        }

        if (next == _armed)
        {
            return;
        }

        _armed = next;
        var timer = ++_timer;
        if (_armed is not { } due)
        {
            return;
        }

        var at = clock.ToSchedulerTime(due);
        var soonest = world.Scheduler.Now + Resolution;
        node.At(at > soonest ? at : soonest, () =>
        {
            if (timer == _timer)
            {
                Wake();
            }
        });
    }

    private void Wake()
    {
        Wakes++;
        _armed = null;
        _immediateWakeups = world.Scheduler.Now - _lastWake < TimeSpan.FromMilliseconds(5) ? _immediateWakeups + 1 : 0;
        _lastWake = world.Scheduler.Now;
        if (_immediateWakeups > 200)
        {
            throw new InvariantViolation(Invariant.CoresDoNotFail, $"{node.Name} wakes again and again for nothing");
        }

        node.Feed(new(LoopInputKind.Wake));
    }
}
