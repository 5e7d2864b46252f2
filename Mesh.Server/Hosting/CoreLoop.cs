using System.Collections.Frozen;
using System.Diagnostics;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Links;
using Mesh.Server.Storage;

namespace Mesh.Server.Hosting;

/// <summary>
/// Drives the core: takes inputs in order, performs what comes out, writes what has gathered. The only one that touches the core.
/// An exception in here is a bug; it ends the process, since a server without its loop is worse than none.
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
    EffectExecutor executor,
    TimeProvider time,
    ILogger<CoreLoop> logger)
{
    /// <summary>Inputs taken before their effects are performed.</summary>
    private const int BatchSize = 1024;

    private static readonly TimeSpan TimerResolution = TimeSpan.FromMilliseconds(1);

    private readonly MonotonicClock _clock = new(time);
    private readonly Effects _effects = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ServerCore _core = null!;
    private DateTimeOffset? _timerDueAt;
    private bool _woken;
    private bool _finishing;
    private bool _checking;

    /// <summary>Done once a stopping server has nothing left to wait for.</summary>
    public Task Drained => _drained.Task;

    /// <summary>Takes the claim, loads the stored state and runs until <see cref="LoopInputKind.Finish"/> has been served and all is written.</summary>
    public async Task RunAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        Activity.Current = null;
        await lease.AcquireAsync(settings, cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (renewing, invalidating, adopting, inspecting) = (lease.RunAsync(stopping.Token), Task.CompletedTask, Task.CompletedTask, Task.CompletedTask);
        try
        {
            var stored = await writer.LoadAsync(settings.Id, cancellationToken);
            _core = new ServerCore(settings, stored, _clock.Now, Random.Shared.Next(), _effects);
            links.Start(settings);

            // Before the first submission can be posted.
            await durability.CheckAsync(cancellationToken);
            inspecting = durability.RunAsync(stopping.Token);
            invalidating = invalidator.RunAsync(stopping.Token);
            adopting = adoptions.RunAsync(stopping.Token);
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
            await Task.WhenAll(invalidating, adopting, inspecting, writer.Writing, lease.ReleaseLeaseAsync());
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
                Apply(item, now);
            }

            if (_core.NextDueTime <= now)
            {
                _core.OnTimer(now);
            }

            ExecuteEffects(now);
            FailUnsentRequests(now);
            Write(now, cancellationToken);

            if (state.Phase == LoopPhase.Stopping && _core.IsDrained)
            {
                _drained.TrySetResult();
            }

            if (_finishing && !writer.IsBusy)
            {
                return;
            }

            ScheduleTimer(timer);
        }
        while (await inputs.Reader.WaitToReadAsync(cancellationToken));
    }

    private void Apply(in LoopInput item, DateTimeOffset now)
    {
        switch (item.Kind)
        {
            case LoopInputKind.Message:
                _core.OnMessage(item.Session, item.Framing, (MeshMessage)item.Subject!, now);
                break;
            case LoopInputKind.SessionClosed:
                _core.OnSessionClosed(item.Session, item.End, now);
                break;
            case LoopInputKind.PeerReply:
                _core.OnPeerReply(new ServerId(item.Id!), (MeshMessage)item.Subject!, now);
                break;
            case LoopInputKind.PeerFailed:
                _core.OnPeerFailed(new ServerId(item.Id!), (MeshMessage)item.Subject!, (string)item.Detail!, now);
                break;
            case LoopInputKind.PeerFraming:
                _core.OnPeerFraming(new ServerId(item.Id!), item.Framing);
                break;
            case LoopInputKind.Submit:
                _core.OnSubmit((Submission)item.Subject!, now);
                break;
            case LoopInputKind.Read:
                ((CoreQuery)item.Subject!).Run(_core);
                break;
            case LoopInputKind.Command:
                ((CoreCommand)item.Subject!).Run(_core, now);
                break;
            case LoopInputKind.Stored:
                writer.Complete();
                _core.OnStored((StoreBatch)item.Subject!, (IReadOnlyDictionary<string, TaskRecord?>)item.Detail!, now);
                writer.ReportStoreAvailable();
                break;
            case LoopInputKind.StoreFailed:
                writer.Complete();

                // Nothing is left to be written again, which would find that the store is back.
                _checking |= ((StoreBatch)item.Subject!).Ops.Count == 0 && !_finishing;
                _core.OnStoreFailed((StoreBatch)item.Subject!, now);
                break;
            case LoopInputKind.StoreRolledBack:
                writer.Complete();
                _core.OnStoreRolledBack((StoreBatch)item.Subject!, (StoredState)item.Detail!, now);
                writer.ReportStoreAvailable();
                break;
            case LoopInputKind.CheckStore:
                _checking = true;
                break;
            case LoopInputKind.StoreDurability:
                _core.OnStoreDurability(item.Detail is null);
                break;
            case LoopInputKind.Invalidated:
                _core.OnInvalidated(new TaskId(item.Id!), item.Amount, now);
                break;
            case LoopInputKind.InvalidationFailed:
                _core.OnInvalidationFailed(new TaskId(item.Id!), now);
                break;
            case LoopInputKind.Adopted:
                _core.OnAdopted(new ServerId(item.Id!), (StoredState)item.Subject!, now);
                break;
            case LoopInputKind.AdoptionRefused:
                _core.OnAdoptionRefused(new ServerId(item.Id!), now);
                break;
            case LoopInputKind.AdoptionEnded:
                _core.OnAdoptionEnded(new ServerId(item.Id!), now);
                break;
            case LoopInputKind.Stop:
                state.Phase = LoopPhase.Stopping;
                _core.OnStopping(now);
                break;
            case LoopInputKind.Finish:
                _finishing = true;
                break;
            case LoopInputKind.Faulted when item.Subject is ServerLeaseLostException lost:
                throw lost;
            case LoopInputKind.Faulted:
                throw new InvalidOperationException("A part of this server failed.", (Exception)item.Subject!);
            case LoopInputKind.Wake:
                _woken = true;
                break;
            default:
                throw new InvalidOperationException($"Unknown input {item.Kind}.");
        }
    }

    private void ExecuteEffects(DateTimeOffset now) => executor.Execute(_effects, _core.QueueDepth, now);

    // A batch without changes waits for nothing but those before it, unless the store is to be looked at.
    private void Write(DateTimeOffset now, CancellationToken cancellationToken)
    {
        while (!writer.IsBusy && (_core.Journal.TryTake() ?? (_checking ? new StoreBatch() : null)) is { } batch)
        {
            if (batch.Ops.Count > 0 || _checking)
            {
                _checking = false;
                writer.Start(batch, lease.Self.Server, cancellationToken);
                return;
            }

            _core.OnStored(batch, FrozenDictionary<string, TaskRecord?>.Empty, now);
            ExecuteEffects(now);
        }
    }

    // What a link has no room for has failed at once. The failures may lead to further effects, but not without end: a core waits before it tries again.
    private void FailUnsentRequests(DateTimeOffset now)
    {
        while (executor.TakeUnsentRequests() is { Count: > 0 } refused)
        {
            foreach (var send in refused)
            {
                _core.OnPeerFailed(send.Peer, send.Message, "the link's queue is full", now);
            }

            ExecuteEffects(now);
        }
    }

    private void ScheduleTimer(ITimer timer)
    {
        if (_core.NextDueTime == _timerDueAt && !_woken)
        {
            return;
        }

        _woken = false;

        _timerDueAt = _core.NextDueTime;
        if (_timerDueAt is not { } due)
        {
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        // Rounded up: a timer that fires early would be armed again and again within its last millisecond.
        var wait = due - _clock.Now + TimerResolution;
        timer.Change(wait > TimerResolution ? wait : TimerResolution, Timeout.InfiniteTimeSpan);
    }
}
