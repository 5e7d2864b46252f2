using Mesh.Protocol;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Loans;

/// <summary>
/// Handles the borrower's side of a loan after the owner has promised the worker: arrival, release and return (docs/protocol.md, "A loan, step by step").
/// <see cref="LoanRequester"/> handles the steps before.
/// </summary>
internal sealed partial class Borrower(CoreState core, LoanWriter loanWriter, WorkerMonitor monitor)
{
    private DateTimeOffset _started;

    /// <summary>True when no connected borrowed worker still has to be returned. A stopping server waits for this.</summary>
    public bool IsDrained => !core.Loans.All.Any(loan =>
        loan.State is LoanState.Arrived or LoanState.Releasing or LoanState.Returning && core.Workers.Find(loan.Worker) is not null);

    public void Restore(LoanRecord record, DateTimeOffset now)
    {
        _started = now;

        // Release requests are not stored. The next balancing round decides again whether to release the worker.
        var state = record.State == LoanState.Releasing ? LoanState.Arrived : record.State;
        core.Loans.Put(new Loan(record with { State = state }));
    }

    /// <summary>
    /// Handles a get_task of a worker whose home is another server. Opens or advances its loan, and sends RETURN when the owner has acknowledged the release.
    /// </summary>
    /// <returns>Whether the poll is answered, must wait, or may get a task.</returns>
    public LoanInstruction OnPoll(WorkerEntry worker, SessionId session, DateTimeOffset now, string? trace)
    {
        var loan = core.Loans.Find(worker.Id);
        if (loan is not null && (loan.Record.Role != LoanRole.Borrower || loan.Peer != worker.Home))
        {
            loanWriter.End(loan, $"the worker came from \"{worker.Home}\"", now, trace);
            loan = null;
        }

        if (loan is null)
        {
            loanWriter.Open(new LoanRecord(worker.Id, LoanRole.Borrower, worker.Home, LoanState.Arrived, now, now) { TraceParent = trace });
            return LoanInstruction.None;
        }

        switch (loan.State)
        {
            case LoanState.Expected:
                loanWriter.ChangeState(loan, LoanState.Arrived, now, trace);
                if (loan.RequestedTypes?.Overlaps(worker.Handles) == false)
                {
                    // The owner does not know TASKS, and would lend workers of the wrong types again.
                    core.Peers.Find(loan.Peer)?.PauseRequests(now + LoanRequester.RefusalPauses.Longest);
                }

                return LoanInstruction.None;
            case LoanState.Arrived or LoanState.Releasing:
                return LoanInstruction.None;
            case LoanState.Returned when now - loan.Record.Since < PollRegistry.SuspensionTime:
                // The worker sent this get_task before it received RETURN. If it does not leave, it sends another one.
                return LoanInstruction.Wait;
            case LoanState.Returning:
                SendReturn(loan, session);
                loanWriter.ChangeState(loan, LoanState.Returned, now);
                return LoanInstruction.Sent;
            case LoanState.Returned:
                // RETURN was lost or ignored. It is sent again, and the state's time limit is not extended.
                SendReturn(loan, session);
                return LoanInstruction.Sent;
            default:
                throw new InvalidOperationException($"Borrower's loan state {loan.State} is unknown.");
        }
    }

    /// <summary>Handles RELEASE_COMPLETED: the loans of the workers that it names end.</summary>
    public void OnReleaseCompleted(PeerEntry owner, ReleaseCompleted completed, DateTimeOffset now)
    {
        foreach (var id in completed.Workers)
        {
            if (core.Loans.Find(id, LoanRole.Borrower) is { State: LoanState.Releasing or LoanState.Returning or LoanState.Returned } loan
                && loan.Peer == owner.Id)
            {
                loanWriter.End(loan, "the owner confirmed the worker's return", now, completed.TraceParent);
            }
        }
    }

    /// <summary>Ends loans whose time is up, and releases missing and set-aside workers and those of leaving peers.</summary>
    public void CheckLoans(DateTimeOffset now)
    {
        if (core.Stopping)
        {
            // Workers may have arrived or been promised since the stop began.
            ReleaseAll(now);
        }

        foreach (var loan in core.Loans.All.Where(loan => loan.Record.Role == LoanRole.Borrower).ToArray())
        {
            if (GetEndReason(loan, now) is { } reason)
            {
                loanWriter.End(loan, reason, now);
            }
        }

        Release(core.Loans.All.Where(loan => IsMissing(loan, now) || IsSetAside(loan, now) || IsOfLeavingPeer(loan)), now);
    }

    /// <summary>Sends the release requests that are due.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        foreach (var request in _releaseRequests.Values.Where(request => !request.IsInFlight && request.NextAttemptAt <= now).ToArray())
        {
            Send(request);
        }
    }

    private void SendReturn(Loan loan, SessionId session)
    {
        var owner = core.Peers.Find(loan.Peer)!;
        core.Send(session, new Return(owner.Settings.Endpoint)
        {
            Framing = owner.Framing == Framing.Line ? Framing.Line : null,
            TraceParent = loan.Record.ReturnTraceParent,
        });
    }

    /// <summary>
    /// True for an expected worker that has not arrived in time, and for an arrived one that is no longer connected. Both are released, so that the owner learns
    /// of it.
    /// </summary>
    private bool IsMissing(Loan loan, DateTimeOffset now)
    {
        var patience = core.Settings.Loans.ArrivalTimeout;
        return loan.State switch
        {
            LoanState.Expected => loan.Record.Since + patience <= now,
            LoanState.Arrived => core.Workers.Find(loan.Worker) is null && loan.Record.Since + patience <= now && _started + patience <= now,
            _ => false,
        };
    }

    /// <summary>True for a borrowed worker that is set aside here, and for an expected one that was set aside during an earlier loan. Both are released.</summary>
    private bool IsSetAside(Loan loan, DateTimeOffset now) => loan.State switch
    {
        LoanState.Expected => monitor.WasSetAside(loan.Worker, now),
        LoanState.Arrived => core.Workers.Find(loan.Worker) is { Health.IsSetAside: true },
        _ => false,
    };

    /// <summary>True for a worker of a server that is no longer a configured peer, until it is being released.</summary>
    private bool IsOfLeavingPeer(Loan loan) => loan.State is LoanState.Expected or LoanState.Arrived && core.Peers.Find(loan.Peer) is { IsLeaving: true };

    private string? GetEndReason(Loan loan, DateTimeOffset now)
    {
        if (core.Peers.Find(loan.Peer) is not { } owner)
        {
            return $"\"{loan.Peer}\" is no longer a peer";
        }

        var isHere = core.Workers.Find(loan.Worker) is not null;
        var late = loan.Record.Since + core.Settings.Loans.ReturnTimeout <= now;
        return loan.State switch
        {
            LoanState.Returned when late && isHere => $"the worker does not obey RETURN to {owner.Settings.Endpoint}",
            LoanState.Returned when late => "no RELEASE_COMPLETED in time",
            LoanState.Returning when late && !isHere => "the worker is gone",
            _ when !isHere && !owner.Alive && owner.DeadSince + core.Settings.Loans.BorrowerLostAfter <= now => "the worker and its owner are lost",
            _ => null,
        };
    }
}
