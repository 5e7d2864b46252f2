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
internal sealed partial class MeshLoop(
    MeshInbox inbox,
    LoopState state,
    ClaimKeeper claim,
    StoreWriter writer,
    StoreDurabilityMonitor durability,
    TaskVoider voider,
    AdoptedClaims adoptions,
    PeerLinks links,
    EffectPerformer performer,
    TimeProvider time,
    ILogger<MeshLoop> logger)
{
    /// <summary>Inputs taken before their effects are performed.</summary>
    private const int BatchSize = 1024;

    private static readonly TimeSpan TimerResolution = TimeSpan.FromMilliseconds(1);

    private readonly MonotonicClock _clock = new(time);
    private readonly Effects _effects = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ServerCore _core = null!;
    private DateTimeOffset? _armed;
    private bool _woken;
    private bool _finishing;
    private bool _checking;

    /// <summary>Done once a stopping server has nothing left to wait for.</summary>
    public Task Drained => _drained.Task;

    /// <summary>Takes the claim, loads the stored state and runs until <see cref="LoopInput.Finish"/> has been served and all is written.</summary>
    public async Task RunAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        Activity.Current = null;
        await claim.TakeAsync(settings, cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (renewing, voiding, adopting, inspecting) = (claim.RunAsync(stopping.Token), Task.CompletedTask, Task.CompletedTask, Task.CompletedTask);
        try
        {
            var stored = await writer.LoadAsync(settings.Id, cancellationToken);
            _core = new ServerCore(settings, stored, _clock.Now, Random.Shared.Next(), _effects);
            links.Start(settings);

            // Before the first submission can be posted.
            await durability.CheckAsync(cancellationToken);
            inspecting = durability.RunAsync(stopping.Token);
            voiding = voider.RunAsync(stopping.Token);
            adopting = adoptions.RunAsync(stopping.Token);
            inbox.Open();
            state.Phase = LoopPhase.Running;
            LogRunning(settings.Id, settings.Advertise);
            await DriveAsync(cancellationToken);
        }
        finally
        {
            state.Phase = LoopPhase.Ended;
            inbox.Close();
            _drained.TrySetResult();
            await stopping.CancelAsync();
            await renewing;
            await Task.WhenAll(voiding, adopting, inspecting, writer.Writing, claim.ReleaseAsync());
        }
    }

    private async Task DriveAsync(CancellationToken cancellationToken)
    {
        using var timer = time.CreateTimer(static inbox => ((MeshInbox)inbox!).Wake(), inbox, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        do
        {
            if (claim.IsOverdue)
            {
                await claim.ConfirmAsync(cancellationToken);
            }

            var now = _clock.Now;
            for (var taken = 0; taken < BatchSize && inbox.Reader.TryRead(out var item); taken++)
            {
                Apply(item, now);
            }

            if (_core.NextWake <= now)
            {
                _core.OnTimer(now);
            }

            Perform(now);
            FailRefused(now);
            Write(now, cancellationToken);

            if (state.Phase == LoopPhase.Stopping && _core.IsDrained)
            {
                _drained.TrySetResult();
            }

            if (_finishing && !writer.IsBusy)
            {
                return;
            }

            Arm(timer);
        }
        while (await inbox.Reader.WaitToReadAsync(cancellationToken));
    }

    private void Apply(in LoopItem item, DateTimeOffset now)
    {
        switch (item.Kind)
        {
            case LoopInput.Message:
                _core.OnMessage(item.Session, item.Framing, (MeshMessage)item.Subject!, now);
                break;
            case LoopInput.SessionClosed:
                _core.OnSessionClosed(item.Session, item.End, now);
                break;
            case LoopInput.PeerReply:
                _core.OnPeerReply(new ServerId(item.Id!), (MeshMessage)item.Subject!, now);
                break;
            case LoopInput.PeerFailed:
                _core.OnPeerFailed(new ServerId(item.Id!), (MeshMessage)item.Subject!, (string)item.Detail!, now);
                break;
            case LoopInput.PeerFraming:
                _core.OnPeerFraming(new ServerId(item.Id!), item.Framing);
                break;
            case LoopInput.Submit:
                _core.OnSubmit((Submission)item.Subject!, now);
                break;
            case LoopInput.Read:
                ((CoreRead)item.Subject!).Run(_core);
                break;
            case LoopInput.Command:
                ((CoreCommand)item.Subject!).Run(_core, now);
                break;
            case LoopInput.Stored:
                writer.Complete();
                _core.OnStored((StoreBatch)item.Subject!, (IReadOnlyDictionary<string, TaskRecord?>)item.Detail!, now);
                writer.ReportBack();
                break;
            case LoopInput.StoreFailed:
                writer.Complete();

                // Nothing is left to be written again, which would find that the store is back.
                _checking |= ((StoreBatch)item.Subject!).Ops.Count == 0 && !_finishing;
                _core.OnStoreFailed((StoreBatch)item.Subject!, now);
                break;
            case LoopInput.StoreWentBack:
                writer.Complete();
                _core.OnStoreWentBack((StoreBatch)item.Subject!, (StoredState)item.Detail!, now);
                writer.ReportBack();
                break;
            case LoopInput.CheckStore:
                _checking = true;
                break;
            case LoopInput.StoreDurability:
                _core.OnStoreDurability(item.Detail is null);
                break;
            case LoopInput.Voided:
                _core.OnVoided(new TaskId(item.Id!), item.Amount, now);
                break;
            case LoopInput.VoidFailed:
                _core.OnVoidFailed(new TaskId(item.Id!), now);
                break;
            case LoopInput.Adopted:
                _core.OnAdopted(new ServerId(item.Id!), (StoredState)item.Subject!, now);
                break;
            case LoopInput.AdoptionRefused:
                _core.OnAdoptionRefused(new ServerId(item.Id!), now);
                break;
            case LoopInput.Disowned:
                _core.OnDisowned(new ServerId(item.Id!), now);
                break;
            case LoopInput.Stop:
                state.Phase = LoopPhase.Stopping;
                _core.OnStopping(now);
                break;
            case LoopInput.Finish:
                _finishing = true;
                break;
            case LoopInput.Broken when item.Subject is ClaimLostException lost:
                throw lost;
            case LoopInput.Broken:
                throw new InvalidOperationException("A part of this server failed.", (Exception)item.Subject!);
            case LoopInput.Wake:
                _woken = true;
                break;
            default:
                throw new InvalidOperationException($"Unknown input {item.Kind}.");
        }
    }

    private void Perform(DateTimeOffset now) => performer.Perform(_effects, _core.QueueDepth, now);

    // A batch without changes waits for nothing but those before it, unless the store is to be looked at.
    private void Write(DateTimeOffset now, CancellationToken cancellationToken)
    {
        while (!writer.IsBusy && (_core.Journal.TryTake() ?? (_checking ? new StoreBatch() : null)) is { } batch)
        {
            if (batch.Ops.Count > 0 || _checking)
            {
                _checking = false;
                writer.Start(batch, claim.Self.Server, cancellationToken);
                return;
            }

            _core.OnStored(batch, FrozenDictionary<string, TaskRecord?>.Empty, now);
            Perform(now);
        }
    }

    // What a link has no room for has failed at once. The failures may lead to further effects, but not without end: a core waits before it tries again.
    private void FailRefused(DateTimeOffset now)
    {
        while (performer.TakeRefused() is { Count: > 0 } refused)
        {
            foreach (var send in refused)
            {
                _core.OnPeerFailed(send.Peer, send.Message, "the link's queue is full", now);
            }

            Perform(now);
        }
    }

    private void Arm(ITimer timer)
    {
        if (_core.NextWake == _armed && !_woken)
        {
            return;
        }

        _woken = false;

        _armed = _core.NextWake;
        if (_armed is not { } due)
        {
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        // Rounded up: a timer that fires early would be armed again and again within its last millisecond.
        var wait = due - _clock.Now + TimerResolution;
        timer.Change(wait > TimerResolution ? wait : TimerResolution, Timeout.InfiniteTimeSpan);
    }
}
