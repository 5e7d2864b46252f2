using System.Collections.Frozen;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using Mesh.Server.StoreWriting;

namespace Mesh.Server.Loop;

/// <summary>
/// The synchronous part of the loop: applies inputs to the core, performs the effects and starts the writes. <see cref="CoreLoop"/> calls it in a server,
/// the simulation calls it in virtual time.
/// </summary>
/// <param name="core">The core. Nothing else may call it.</param>
/// <param name="effects">The list that the core adds its effects to.</param>
internal sealed class LoopCore(ServerCore core, Effects effects, ServerId own, StoreWriter writer, ServerReadiness state, IEffectExecutor executor)
{
    private bool _finishing;
    private bool _checking;

    /// <summary>True when the server is stopping and has nothing left to wait for.</summary>
    public bool IsDrained => state.Phase == LoopPhase.Stopping && core.IsDrained;

    /// <summary>True when <see cref="LoopInputKind.Finish"/> has been applied and no write is in progress.</summary>
    public bool IsFinished => _finishing && !writer.IsBusy;

    /// <summary>The time at which <see cref="OnTimer"/> must be called, or null.</summary>
    public DateTimeOffset? NextDueTime => core.NextDueTime;

    /// <summary>Applies one input.</summary>
    /// <exception cref="ServerLeaseLostException">Another process has the lease of this server.</exception>
    /// <exception cref="InvalidOperationException">A part of this server failed.</exception>
    public void Apply(in LoopInput item, DateTimeOffset now)
    {
        switch (item.Kind)
        {
            case LoopInputKind.Message:
                core.OnMessage(item.Session, item.Framing, (MeshMessage)item.Subject!, now);
                break;
            case LoopInputKind.SessionClosed:
                core.OnSessionClosed(item.Session, item.End, now);
                break;
            case LoopInputKind.PeerReply or LoopInputKind.PeerFailed or LoopInputKind.PeerFraming when !core.IsCurrentLink(new ServerId(item.Id!), item.Link):
                break;
            case LoopInputKind.PeerReply:
                core.OnPeerReply(new ServerId(item.Id!), (MeshMessage)item.Subject!, now);
                break;
            case LoopInputKind.PeerFailed:
                core.OnPeerFailed(new ServerId(item.Id!), (MeshMessage)item.Subject!, (string)item.Detail!, now);
                break;
            case LoopInputKind.PeerFraming:
                core.OnPeerFraming(new ServerId(item.Id!), item.Framing);
                break;
            case LoopInputKind.PeersChanged:
                core.OnPeersChanged((IReadOnlyList<PeerSettings>)item.Subject!, now);
                break;
            case LoopInputKind.Submit:
                core.OnSubmit((Submission)item.Subject!, now);
                break;
            case LoopInputKind.Cancel:
                core.OnCancel((CancelRequest)item.Subject!, now);
                break;
            case LoopInputKind.Read:
                ((CoreQuery)item.Subject!).Run(core);
                break;
            case LoopInputKind.Command:
                ((CoreCommand)item.Subject!).Run(core, now);
                break;
            case LoopInputKind.Stored:
                writer.Complete();
                core.OnStored((StoreBatch)item.Subject!, (IReadOnlyDictionary<string, TaskRecord?>)item.Detail!, now);
                writer.ReportStoreAvailable();
                break;
            case LoopInputKind.StoreFailed:
                writer.Complete();

                // If the batch is empty, nothing is left to be written again. An empty write finds out when the store is available again.
                _checking |= ((StoreBatch)item.Subject!).Ops.Count == 0 && !_finishing;
                core.OnStoreFailed((StoreBatch)item.Subject!, now);
                break;
            case LoopInputKind.StoreRolledBack:
                writer.Complete();
                core.OnStoreRolledBack((StoreBatch)item.Subject!, (StoredState)item.Detail!, now);
                writer.ReportStoreAvailable();
                break;
            case LoopInputKind.CheckStore:
                _checking = true;
                break;
            case LoopInputKind.StoreDurability:
                core.OnStoreDurability(item.Detail is null);
                break;
            case LoopInputKind.Invalidated:
                core.OnInvalidated(new TaskId(item.Id!), item.Amount, now);
                break;
            case LoopInputKind.InvalidationFailed:
                core.OnInvalidationFailed(new TaskId(item.Id!), now);
                break;
            case LoopInputKind.Adopted:
                core.OnAdopted(new ServerId(item.Id!), (StoredState)item.Subject!, now);
                break;
            case LoopInputKind.AdoptionRefused:
                core.OnAdoptionRefused(new ServerId(item.Id!), now);
                break;
            case LoopInputKind.AdoptionEnded:
                core.OnAdoptionEnded(new ServerId(item.Id!), now);
                break;
            case LoopInputKind.Stop:
                state.Phase = LoopPhase.Stopping;
                core.OnStopping(now);
                break;
            case LoopInputKind.Finish:
                _finishing = true;
                break;
            case LoopInputKind.Faulted when item.Subject is ServerLeaseLostException lost:
                throw lost;
            case LoopInputKind.Faulted:
                throw new InvalidOperationException("A part of this server failed.", (Exception)item.Subject!);
            case LoopInputKind.Wake:
                break;
            default:
                throw new InvalidOperationException($"Unknown input {item.Kind}.");
        }
    }

    /// <summary>Calls the core if its next deadline has passed.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        if (core.NextDueTime <= now)
        {
            core.OnTimer(now);
        }
    }

    /// <summary>Performs the effects of the applied inputs, and starts a write if none is in progress.</summary>
    /// <param name="cancellationToken">Cancels the delay after a failed write.</param>
    public void Flush(DateTimeOffset now, CancellationToken cancellationToken)
    {
        ExecuteEffects(now);
        FailUnsentRequests(now);
        Write(now, cancellationToken);
    }

    private void ExecuteEffects(DateTimeOffset now) => executor.Execute(effects, core.QueueDepth, now);

    // A batch without changes needs no write, unless a check of the store was requested. It still completes after the batches before it.
    private void Write(DateTimeOffset now, CancellationToken cancellationToken)
    {
        while (!writer.IsBusy && (core.Journal.TryTake() ?? (_checking ? new StoreBatch() : null)) is { } batch)
        {
            if (batch.Ops.Count > 0 || _checking)
            {
                _checking = false;
                writer.Start(batch, own, cancellationToken);
                return;
            }

            core.OnStored(batch, FrozenDictionary<string, TaskRecord?>.Empty, now);
            ExecuteEffects(now);
        }
    }

    // A request that does not fit into a link's queue fails at once. The failures can cause more effects, but the core waits before it repeats a request.
    private void FailUnsentRequests(DateTimeOffset now)
    {
        while (executor.TakeUnsentRequests() is { Count: > 0 } refused)
        {
            foreach (var send in refused)
            {
                core.OnPeerFailed(send.Peer, send.Message, "the link's queue is full", now);
            }

            ExecuteEffects(now);
        }
    }
}

/// <summary>Performs the effects that the core requests. The members do not wait. A result is posted to the loop as an input.</summary>
internal interface IEffectExecutor
{
    /// <summary>Performs all effects and clears the list.</summary>
    void Execute(Effects effects, int queueDepth, DateTimeOffset now);

    /// <summary>The requests to peers that expect a reply and did not fit into a queue since the last call.</summary>
    IReadOnlyList<PeerSendEffect> TakeUnsentRequests();
}
