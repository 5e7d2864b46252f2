using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Tasks;
using Mesh.Server.Links;
using Mesh.Server.ServerLeases;
using Mesh.Server.Sessions;
using Mesh.Server.StoreWriting;
using Mesh.Server.Telemetry;

namespace Mesh.Server.Loop;

/// <summary>Passes each effect to the component that performs it. No call waits. Results are posted to the loop as inputs.</summary>
internal sealed class EffectExecutor(
    SessionTable sessions, PeerLinks links, TaskInvalidator invalidator, AdoptedServerLeases adoptions, ILedger ledger, MeshEventLog events, LoanConsoleLog loanLog, MeshMetrics metrics,
    TaskWaiters waiters)
    : IEffectExecutor
{
    private readonly List<PeerSendEffect> _unsent = [];

    public void Execute(Effects effects, int queueDepth, DateTimeOffset now)
    {
        foreach (var send in effects.Sends)
        {
            sessions.Send(send.Session, send.Task is { } task ? TaskSpans.Dispatch(task, (NewTask)send.Message, now) : send.Message);
        }

        foreach (var link in effects.PeerLinks)
        {
            links.Change(link);
        }

        foreach (var send in effects.PeerSends)
        {
            if (!links.TrySend(send) && send.ExpectsReply)
            {
                _unsent.Add(send);
            }
        }

        foreach (var task in effects.Invalidations)
        {
            invalidator.Enqueue(task);
        }

        foreach (var server in effects.AdoptionRequests)
        {
            adoptions.Acquire(server);
        }

        foreach (var server in effects.LeaseReleases)
        {
            adoptions.Release(server);
            waiters.CompleteAll();
        }

        foreach (var end in effects.TaskEnds)
        {
            TaskSpans.Settle(end, now);
            metrics.Count(end, now);
            if (end.State != TaskState.Queued)
            {
                waiters.Complete(end.Task.Record);
            }

            if (end.State != TaskState.Queued && end.Task.Record.ChangesBalance)
            {
                ledger.Settled(end.Task.Record.User!, end.Task.Id);
            }
        }

        foreach (var (submission, outcome) in effects.SubmissionResults)
        {
            ((PendingSubmission)submission).Complete(outcome);
        }

        foreach (var (request, outcome) in effects.CancelResults)
        {
            ((PendingCancel)request).Complete(outcome);
        }

        if (effects.Events.Count > 0)
        {
            loanLog.Report(effects.Events, queueDepth);
            foreach (var happened in effects.Events)
            {
                events.Report(happened);
            }
        }

        effects.Clear();
    }

    public IReadOnlyList<PeerSendEffect> TakeUnsentRequests()
    {
        if (_unsent.Count == 0)
        {
            return [];
        }

        var refused = _unsent.ToArray();
        _unsent.Clear();
        return refused;
    }
}
