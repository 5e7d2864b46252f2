using Mesh.Protocol;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Loans;

/// <summary>The borrower's side of a loan from the worker's arrival on (docs/protocol.md, "A loan, step by step").</summary>
internal sealed class Borrower(CoreState core, LoanWriter loanWriter, WorkerMonitor monitor)
{
    private readonly Dictionary<ServerId, ReleaseRequest> _releaseRequests = [];
    private DateTimeOffset _started;

    /// <summary>True when no borrowed worker at the door waits to be sent home.</summary>
    public bool IsDrained => !core.Loans.All.Any(loan =>
        loan.State is LoanState.Arrived or LoanState.Releasing or LoanState.Returning && core.Workers.Find(loan.Worker) is not null);

    public int ReleaseRequests => _releaseRequests.Count;

    public void Restore(LoanRecord record, DateTimeOffset now)
    {
        _started = now;

        // Who was asked to release does not matter any more: the next round asks again.
        var state = record.State == LoanState.Releasing ? LoanState.Arrived : record.State;
        core.Loans.Put(new Loan(record with { State = state }));
    }

    /// <summary>What the loan of a worker that asks away from home has to say.</summary>
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
                return LoanInstruction.None;
            case LoanState.Arrived or LoanState.Releasing:
                return LoanInstruction.None;
            case LoanState.Returned when now - loan.Record.Since < PollRegistry.SuspensionTime:
                // Sent before the RETURN arrived: the worker is leaving, or else it will ask again.
                return LoanInstruction.Wait;
            case LoanState.Returning:
                SendReturn(loan, session);
                loanWriter.ChangeState(loan, LoanState.Returned, now);
                return LoanInstruction.Sent;
            case LoanState.Returned:
                // Lost on its way, or not obeyed; its time goes on.
                SendReturn(loan, session);
                return LoanInstruction.Sent;
            default:
                throw new InvalidOperationException($"Borrower's loan state {loan.State} is unknown.");
        }
    }

    /// <summary>All borrowed workers, here or promised, are released to their owners.</summary>
    public void ReleaseAll(DateTimeOffset now) =>
        Release(core.Loans.All.Where(loan => loan.State is LoanState.Expected or LoanState.Arrived), now);

    /// <summary>Releases all borrowed workers at once, whatever delay a release that is under way waits for.</summary>
    /// <returns>The workers that are being returned, and have not been given their RETURN yet.</returns>
    public IReadOnlyList<WorkerId> ReturnAll(DateTimeOffset now)
    {
        ReleaseAll(now);
        foreach (var request in _releaseRequests.Values.Where(request => !request.IsInFlight))
        {
            (request.Tries, request.NextAttemptAt) = (0, now);
        }

        OnTimer(now);
        return [.. core.Loans.All.Where(loan => loan.State is LoanState.Releasing or LoanState.Returning).Select(loan => loan.Worker)];
    }

    public void OnReleaseAck(PeerEntry owner, ReleaseAck ack, DateTimeOffset now)
    {
        var released = false;
        foreach (var id in ack.Workers)
        {
            if (core.Loans.Find(id, LoanRole.Borrower) is not { State: LoanState.Releasing } loan || loan.Peer != owner.Id)
            {
                continue;
            }

            released = true;
            if (core.Workers.Find(id) is null)
            {
                loanWriter.End(loan, "the worker is not here", now, ack.TraceParent);
            }
            else
            {
                loan.Record = loan.Record with { ReturnTraceParent = ack.TraceParent };
                loanWriter.ChangeState(loan, LoanState.Returning, now, ack.TraceParent);
            }
        }

        if (!LoansBeingReleased(owner.Id).Any())
        {
            _releaseRequests.Remove(owner.Id);
        }
        else if (!released)
        {
            OnReleaseFailed(owner, now);
        }
        else if (_releaseRequests.TryGetValue(owner.Id, out var request))
        {
            // More than one message has room for.
            request.Tries = 0;
            Send(request);
        }
    }

    public void OnReleaseFailed(PeerEntry owner, DateTimeOffset now)
    {
        if (!_releaseRequests.TryGetValue(owner.Id, out var request) || !request.IsInFlight)
        {
            return;
        }

        request.IsInFlight = false;
        request.NextAttemptAt = now + core.Settings.Loans.ReleaseBackoff.Delay(request.Tries);
        if (request.Tries >= core.Settings.Loans.ReleaseTries && !core.Stopping)
        {
            _releaseRequests.Remove(owner.Id);
            foreach (var loan in LoansBeingReleased(owner.Id).ToArray())
            {
                loanWriter.ChangeState(loan, LoanState.Arrived, now);
            }
        }
    }

    public void OnReleaseCompleted(PeerEntry owner, ReleaseCompleted completed, DateTimeOffset now)
    {
        foreach (var id in completed.Workers)
        {
            if (core.Loans.Find(id, LoanRole.Borrower) is { State: LoanState.Releasing or LoanState.Returning or LoanState.Returned } loan
                && loan.Peer == owner.Id)
            {
                loanWriter.End(loan, "the owner has the worker home", now, completed.TraceParent);
            }
        }
    }

    public void OnTimer(DateTimeOffset now)
    {
        if (core.Stopping)
        {
            // Whoever came, or was promised, since the stop began.
            ReleaseAll(now);
        }

        foreach (var loan in core.Loans.All.Where(loan => loan.Record.Role == LoanRole.Borrower).ToArray())
        {
            if (GetEndReason(loan, now) is { } reason)
            {
                loanWriter.End(loan, reason, now);
            }
        }

        Release(core.Loans.All.Where(loan => IsMissing(loan, now) || IsSetAside(loan, now)), now);
        foreach (var request in _releaseRequests.Values.Where(request => !request.IsInFlight && request.NextAttemptAt <= now).ToArray())
        {
            Send(request);
        }
    }

    private IEnumerable<Loan> LoansBeingReleased(ServerId owner) =>
        core.Loans.All.Where(loan => loan.State == LoanState.Releasing && loan.Peer == owner);

    private void Release(IEnumerable<Loan> loans, DateTimeOffset now)
    {
        foreach (var loan in loans.ToArray())
        {
            loanWriter.ChangeState(loan, LoanState.Releasing, now);
            if (!_releaseRequests.ContainsKey(loan.Peer))
            {
                _releaseRequests.Add(loan.Peer, new ReleaseRequest(loan.Peer) { NextAttemptAt = now });
            }
        }
    }

    private void Send(ReleaseRequest request)
    {
        var loans = LoansBeingReleased(request.Owner).ToList();
        if (loans.Count == 0)
        {
            _releaseRequests.Remove(request.Owner);
            return;
        }

        request.Tries++;
        request.IsInFlight = true;
        loans = loans.GetRange(0, WorkerList.CountFittingOneMessage(loans.Select(loan => loan.Worker)));
        WorkerList workers = [.. loans.Select(loan => loan.Worker)];
        string[] traces = [.. loans.Select(loan => loan.Record.TraceParent).OfType<string>().Distinct()];
        core.Effects.PeerSends.Add(new PeerSendEffect(
            request.Owner, new CommandRelease(core.Settings.Id, workers), ExpectsReply: true, traces, new ReleaseSent(request.Owner, workers, request.Tries)));
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

    /// <summary>A promised worker that did not come, or one that was here and is gone: the owner shall know.</summary>
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

    /// <summary>A guest that was set aside here, or a promised one that was set aside on an earlier loan: the owner gets it back.</summary>
    private bool IsSetAside(Loan loan, DateTimeOffset now) => loan.State switch
    {
        LoanState.Expected => monitor.WasSetAside(loan.Worker, now),
        LoanState.Arrived => core.Workers.Find(loan.Worker) is { Health.IsSetAside: true },
        _ => false,
    };

    private string? GetEndReason(Loan loan, DateTimeOffset now)
    {
        if (core.Peers.Find(loan.Peer) is not { } owner)
        {
            return $"\"{loan.Peer}\" is not a peer any more";
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

/// <summary>Borrower: COMMAND_RELEASE to one owner, repeated until RELEASE_ACK or until the tries are used up.</summary>
internal sealed class ReleaseRequest(ServerId owner)
{
    public ServerId Owner { get; } = owner;

    public int Tries { get; set; }

    public bool IsInFlight { get; set; }

    public DateTimeOffset NextAttemptAt { get; set; }
}
