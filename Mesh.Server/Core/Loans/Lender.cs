using Mesh.Protocol;
using Mesh.Server.Core.Peers;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Loans;

/// <summary>Handles the owner's side of a loan (docs/protocol.md, "A loan, step by step").</summary>
internal sealed class Lender(CoreState core, LoanWriter loanWriter)
{
    private readonly ReleaseBatches _batches = new(core);

    public int Batches => _batches.Count;

    public void Restore(LoanRecord record, DateTimeOffset now)
    {
        core.Loans.Put(new Loan(record));
        if (record.State == LoanState.Released)
        {
            _batches.Restore(record, now);
        }
    }

    /// <summary>True while workers that this borrower has released are on their way home.</summary>
    public bool IsWaitingFor(ServerId borrower) => _batches.Contains(borrower);

    /// <summary>True for a worker of this server that is connected and has no loan.</summary>
    public static bool IsAtHome(WorkerEntry worker, CoreState core) =>
        worker.Home == core.Settings.Id && !worker.IsGone && core.Loans.Find(worker.Id) is null;

    /// <summary>
    /// Handles WORKER_REQUEST. Stores an offer for each worker to lend, and answers AVAILABLE when the offers are stored. Answers UNAVAILABLE at once when no
    /// worker can be lent, or when the requester is not an allowed peer.
    /// </summary>
    public void OnRequest(SessionId session, WorkerRequest request, DateTimeOffset now)
    {
        var borrower = core.Peers.Find(request.Server, request.Requestor);
        if (borrower is null or { IsLeaving: true })
        {
            borrower = null;
            core.Report(new MessageRejected(session, request, $"REQUESTOR_INFO: {request.Requestor} is not a peer of \"{core.Settings.Id}\""));
        }
        else if (!borrower.IsAt(request.Requestor) && !core.Settings.Redirects.Match(request.Requestor))
        {
            // Any sender can claim a peer's id. Workers carry the token, so they are sent to known addresses only.
            core.Report(new MessageRejected(
                session,
                request,
                $"REQUESTOR_INFO: {request.Requestor} is neither the address of the peer \"{borrower.Id}\", {borrower.Settings.Endpoint}, nor among Mesh__Redirect__Allowed"));
            borrower = null;
        }

        var lent = borrower is null || core.Stopping || core.StoreUnavailable ? [] : SelectWorkers(request, now);
        if (lent.Count == 0)
        {
            core.Send(session, new Unavailable(core.Settings.Id) { TraceParent = request.TraceParent });
            return;
        }

        var loans = new List<Loan>(lent.Count);
        foreach (var worker in lent)
        {
            PollRegistry.Suspend(worker);
            var record = new LoanRecord(worker.Id, LoanRole.Owner, borrower!.Id, LoanState.Offered, now, now)
            {
                Borrower = request.Requestor,
                TraceParent = request.TraceParent,
            };
            loans.Add(loanWriter.Open(record, stored: false));
        }

        core.Journal.AddContinuation(new StoreContinuation(StoreContinuationKind.Offered)
        {
            Session = session,
            Message = new Available(core.Settings.Id, [.. loans.Select(loan => loan.Worker)]) { TraceParent = request.TraceParent },
            Loans = loans,
        });
    }

    /// <summary>Sends AVAILABLE after the offers are stored, and lets the waiting workers receive REDIRECT.</summary>
    public void OnOffersStored(in StoreContinuation offered)
    {
        // A loan can end while it is being stored: the borrower released it, or the worker connected to another server.
        var standing = offered.Loans.Where(core.Loans.Contains).ToList();
        var available = (Available)offered.Message!;
        core.Send(offered.Session, standing.Count > 0
            ? available with { Workers = [.. standing.Select(loan => loan.Worker)] }
            : new Unavailable(core.Settings.Id) { TraceParent = available.TraceParent });
        foreach (var loan in standing)
        {
            loan.Stored = true;
            core.WorkersWithChangedLoans.Add(loan.Worker);
        }
    }

    /// <summary>Handles a get_task of a worker of this server. Sends REDIRECT when the worker is offered, and ends the loan when the worker is back.</summary>
    /// <returns>Whether the poll is answered, must wait, or may get a task.</returns>
    public LoanInstruction OnPoll(WorkerEntry worker, SessionId session, DateTimeOffset now, string? trace)
    {
        if (core.Loans.Find(worker.Id) is not { } loan)
        {
            return LoanInstruction.None;
        }

        if (loan.Record.Role == LoanRole.Borrower)
        {
            loanWriter.End(loan, "the worker is at home here", now, trace);
            return LoanInstruction.None;
        }

        switch (loan.State)
        {
            case LoanState.Offered when !loan.Stored || worker.Running.Count > 0:
                return LoanInstruction.Wait;
            case LoanState.Offered:
                core.Send(session, new Redirect(loan.Record.Borrower!.Value)
                {
                    Framing = core.Peers.Find(loan.Peer)?.Framing == Framing.Line ? Framing.Line : null,
                    TraceParent = loan.Record.TraceParent,
                });
                loanWriter.ChangeState(loan, LoanState.Lent, now);
                return LoanInstruction.Sent;
            case LoanState.Lent when now - loan.Record.Since < PollRegistry.SuspensionTime:
                // The worker sent this get_task before it received REDIRECT. If it does not leave, it sends another one.
                return LoanInstruction.Wait;
            case LoanState.Lent:
                OnUnsolicitedReturn(worker, loan, now, trace);
                return LoanInstruction.None;
            case LoanState.Released:
                worker.IgnoredRedirects = default;
                worker.LastShortLoan = now - loan.Record.Started <= IgnoredRedirects.EarlyReturnWindow ? loan.Record.Started : default;
                OnReturnedHome(loan, now, trace);
                return LoanInstruction.None;
            default:
                throw new InvalidOperationException($"Owner's loan state {loan.State} is unknown.");
        }
    }

    /// <summary>Handles COMMAND_RELEASE. Answers RELEASE_ACK when the new loan states are stored; RELEASE_COMPLETED follows when the workers are home.</summary>
    public void OnRelease(SessionId session, CommandRelease release, DateTimeOffset now)
    {
        if (core.Peers.FindSender(release.Server) is not { } borrower)
        {
            core.Reject(session, release, $"SERVER_UUID: \"{release.Server}\" is not a peer of \"{core.Settings.Id}\"");
            return;
        }

        var batch = new ReleaseBatch(borrower.Id, now + core.Settings.Loans.ReturnTimeout) { TraceParent = release.TraceParent };
        foreach (var worker in release.Workers)
        {
            Release(worker, borrower, batch, now);
        }

        core.Journal.Reply(session, new ReleaseAck(core.Settings.Id, release.Workers) { TraceParent = release.TraceParent }, string.Join(' ', release.Workers));
        _batches.Add(batch);
    }

    /// <summary>Ends loans whose time is up, and completes the batches whose deadline has passed.</summary>
    public void OnTimer(DateTimeOffset now)
    {
        foreach (var loan in core.Loans.All.Where(loan => loan.Record.Role == LoanRole.Owner).ToArray())
        {
            if (GetEndReason(loan, now) is { } reason)
            {
                loanWriter.End(loan, reason, now);
            }
        }

        foreach (var batch in _batches.FindExpired(now))
        {
            foreach (var worker in batch.PendingWorkers)
            {
                if (core.Loans.Find(worker, LoanRole.Owner) is { State: LoanState.Released } loan && loan.Peer == batch.Borrower)
                {
                    loanWriter.End(loan, "the worker did not come home in time", now);
                }
            }

            _batches.Complete(batch);
        }
    }

    private List<WorkerEntry> SelectWorkers(WorkerRequest request, DateTimeOffset now)
    {
        // Workers that are limited because of failures are not lent, and do not count as workers that stay.
        var wanted = new LendingRequest(request.WorkersNeeded, request.Tasks);
        var (atHome, idle) = (new List<HomeCount>(), new List<HomeWorker>());
        foreach (var group in core.Workers.Homes.Groups)
        {
            atHome.Add(new HomeCount(group.Handles, group.Available));
            if (wanted.Accepts(group.Handles))
            {
                idle.AddRange(group.FindIdle(wanted.Workers, now).Select(worker => new HomeWorker(worker.Id, worker.Handles, worker.PendingPolls.Count > 0, worker.LastShortLoan)));
            }
        }

        var backlog = core.Tasks.Queues.ToDictionary(queue => queue.Type, queue => queue.Depth);
        var chosen = LendingSelector.Select(atHome, idle, backlog, core.Tasks.Depth, wanted, core.Settings.Balancing);

        // Workers that do not fit in one AVAILABLE are not offered; the borrower asks again.
        return [.. chosen.Take(WorkerList.CountFittingOneMessage(chosen)).Select(worker => core.Workers.Find(worker)!)];
    }

    private void Release(WorkerId id, PeerEntry borrower, ReleaseBatch batch, DateTimeOffset now)
    {
        var loan = core.Loans.Find(id, LoanRole.Owner);
        if (loan is null)
        {
            if (core.Workers.Find(id) is { } worker && IsAtHome(worker, core))
            {
                batch.ReturnedWorkers.Add(id);
            }

            return;
        }

        if (loan.Peer != borrower.Id)
        {
            return;
        }

        switch (loan.State)
        {
            case LoanState.Offered:
                loanWriter.End(loan, "released before it left", now);
                batch.ReturnedWorkers.Add(id);
                break;
            case LoanState.Lent:
                loan.Record = loan.Record with { ReturnTraceParent = batch.TraceParent };
                loanWriter.ChangeState(loan, LoanState.Released, now, batch.TraceParent);
                batch.PendingWorkers.Add(id);
                break;
            case LoanState.Released:
                break;
            default:
                throw new InvalidOperationException($"Owner's loan state {loan.State} is unknown.");
        }
    }

    private void OnUnsolicitedReturn(WorkerEntry worker, Loan loan, DateTimeOffset now, string? trace)
    {
        if (now - loan.Record.Since > IgnoredRedirects.EarlyReturnWindow)
        {
            loanWriter.End(loan, "the worker is back by itself", now, trace);
            return;
        }

        worker.IgnoredRedirects = worker.IgnoredRedirects.Increment(now);
        loanWriter.End(loan, "the worker did not follow REDIRECT", now, trace);
        core.Report(new RedirectIgnored(worker.Id, loan.Peer, worker.IgnoredRedirects.Count, worker.IgnoredRedirects.NotLentUntil - now));
    }

    private void OnReturnedHome(Loan loan, DateTimeOffset now, string? trace)
    {
        loanWriter.End(loan, "the worker is home", now, trace);
        _batches.OnReturned(loan.Worker);
    }

    private string? GetEndReason(Loan loan, DateTimeOffset now)
    {
        var limits = core.Settings.Loans;
        if (loan.State == LoanState.Offered && loan.Stored && loan.Record.Since + limits.ArrivalTimeout <= now)
        {
            return "the worker did not ask for its REDIRECT in time";
        }

        if (loan.State == LoanState.Offered && core.Peers.Find(loan.Peer) is null or { IsLeaving: true })
        {
            return "the borrower is no longer a peer";
        }

        if (loan.State == LoanState.Lent && loan.Record.Since + limits.BorrowerLostAfter <= now
            && (core.Peers.Find(loan.Peer) is not { } borrower || (!borrower.Alive && borrower.DeadSince + limits.BorrowerLostAfter <= now)))
        {
            return "the borrower is lost";
        }

        return loan.State == LoanState.Lent && loan.Record.Started + limits.MaxAge <= now ? "the loan is too old" : null;
    }
}
