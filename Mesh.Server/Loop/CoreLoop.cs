using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Discovery;
using Mesh.Server.Links;
using Mesh.Server.ServerLeases;
using Mesh.Server.StoreWriting;
using Mesh.Server.Telemetry;

namespace Mesh.Server.Loop;

/// <summary>
/// Runs the core: takes the inputs in order and passes them to <see cref="LoopCore"/>. Nothing else calls the core.
/// An exception here is a bug. It ends the process, because a server cannot work without its loop.
/// </summary>
internal sealed partial class CoreLoop(
    CoreInputQueue inputs,
    ServerReadiness state,
    ServerLeaseRenewer lease,
    StoreWriter writer,
    StoreDurabilityMonitor durability,
    TaskInvalidator invalidator,
    AdoptedServerLeases adoptions,
    PeerLinks links,
    PeerSetMonitor peers,
    EffectExecutor executor,
    TimeProvider time,
    ILogger<CoreLoop> logger)
{
    /// <summary>The maximum number of inputs that are applied before their effects are performed.</summary>
    private const int BatchSize = 1024;

    /// <summary>The longest time that the timer is set to. A timer does not accept more than 49 days, and a task can be scheduled for a later time.</summary>
    private static readonly TimeSpan MaxTimerWait = TimeSpan.FromDays(1);

    private static readonly TimeSpan TimerResolution = TimeSpan.FromMilliseconds(1);

    private readonly MonotonicClock _clock = new(time);
    private readonly Effects _effects = new() { StartTrace = TaskSpans.RecordSubmit };
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoopCore _core = null!;
    private DateTimeOffset? _timerDueAt;
    private bool _woken;

    /// <summary>Completes when the server is stopping and has nothing left to wait for.</summary>
    public Task Drained => _drained.Task;

    /// <summary>
    /// Acquires the server lease, loads the stored state, and runs until <see cref="LoopInputKind.Finish"/> has been applied and all changes are written.
    /// </summary>
    public async Task RunAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        Activity.Current = null;
        await lease.AcquireAsync(settings, cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (renewing, invalidating, adopting, inspecting, findingPeers) = (lease.RunAsync(stopping.Token), Task.CompletedTask, Task.CompletedTask, Task.CompletedTask, Task.CompletedTask);
        try
        {
            var stored = await writer.LoadAsync(settings.Id, cancellationToken);
            var core = new ServerCore(settings, stored, _clock.Now, Random.Shared.Next(), _effects);
            _core = new LoopCore(core, _effects, settings.Id, writer, state, executor);
            links.Start(settings);

            // The check must complete before the first submission can be posted.
            await durability.CheckAsync(cancellationToken);
            inspecting = durability.RunAsync(stopping.Token);
            invalidating = invalidator.RunAsync(stopping.Token);
            adopting = adoptions.RunAsync(stopping.Token);
            findingPeers = peers.RunAsync(settings, stopping.Token);
            inputs.Open();
            state.Phase = LoopPhase.Running;
            LogRunning(settings.Id, settings.Advertise);
            await RunLoopAsync(cancellationToken);
        }
        finally
        {
            state.Phase = LoopPhase.Ended;
            inputs.Close();
            _drained.TrySetResult();
            await stopping.CancelAsync();
            await renewing;
            await Task.WhenAll(invalidating, adopting, inspecting, findingPeers, writer.Writing, lease.ReleaseLeaseAsync());
        }
    }

    private async Task RunLoopAsync(CancellationToken cancellationToken)
    {
        using var timer = time.CreateTimer(static inputs => ((CoreInputQueue)inputs!).Wake(), inputs, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        do
        {
            if (lease.IsOverdue)
            {
                await lease.RevalidateAsync(cancellationToken);
            }

            var now = _clock.Now;
            for (var taken = 0; taken < BatchSize && inputs.Reader.TryRead(out var item); taken++)
            {
                _woken |= item.Kind == LoopInputKind.Wake;
                _core.Apply(item, now);
            }

            _core.OnTimer(now);
            _core.Flush(now, cancellationToken);
            if (_core.IsDrained)
            {
                _drained.TrySetResult();
            }

            if (_core.IsFinished)
            {
                return;
            }

            ScheduleTimer(timer);
        }
        while (await inputs.Reader.WaitToReadAsync(cancellationToken));
    }

    private void ScheduleTimer(ITimer timer)
    {
        var next = _core.NextDueTime;
        if (next == _timerDueAt && !_woken)
        {
            return;
        }

        (_woken, _timerDueAt) = (false, next);
        if (next is not { } due)
        {
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        // Rounded up. A timer that fires too early would be set again and again during its last millisecond.
        var wait = due - _clock.Now + TimerResolution;
        timer.Change(wait < TimerResolution ? TimerResolution : wait < MaxTimerWait ? wait : MaxTimerWait, Timeout.InfiniteTimeSpan);
    }

    [LoggerMessage(1001, LogLevel.Information, "{Server} is running and advertises the address {Advertise}.")]
    private partial void LogRunning(ServerId server, MeshEndpoint advertise);
}
