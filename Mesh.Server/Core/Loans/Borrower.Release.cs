using Mesh.Protocol;
using Mesh.Server.Core.Peers;

namespace Mesh.Server.Core.Loans;

// The release of borrowed workers: COMMAND_RELEASE, which is repeated until the owner acknowledges it.
internal sealed partial class Borrower
{
    private readonly Dictionary<ServerId, ReleaseRequest> _releaseRequests = [];

    public int ReleaseRequests => _releaseRequests.Count;

    /// <summary>Releases all borrowed workers that have arrived or are expected.</summary>
    public void ReleaseAll(DateTimeOffset now) =>
        Release(core.Loans.All.Where(loan => loan.State is LoanState.Expected or LoanState.Arrived), now);

    /// <summary>Releases borrowed workers that have arrived or are expected.</summary>
    public void Release(IEnumerable<WorkerId> workers, DateTimeOffset now) =>
        Release(workers.Select(worker => core.Loans.Find(worker)).OfType<Loan>().Where(loan => loan.State is LoanState.Expected or LoanState.Arrived), now);

    /// <summary>Releases all borrowed workers immediately. Requests that wait for their next try are sent now, with the number of tries reset.</summary>
    /// <returns>The workers that are being returned and have not received RETURN yet.</returns>
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

    /// <summary>
    /// Handles RELEASE_ACK: the acknowledged workers get RETURN as the answer to their next get_task. An acknowledgement that names no worker that is
    /// being released counts as a failed try.
    /// </summary>
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
            ReturnOrEnd(loan, now, ack.TraceParent);
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
            // The workers did not fit in one message. The next message names the rest.
            request.Tries = 0;
            Send(request);
        }
    }

    /// <summary>
    /// Handles a COMMAND_RELEASE that was not answered, or whose answer was not valid. It is repeated after a delay. After the last try the workers
    /// count as borrowed again, until the next balancing round; those of a leaving peer are returned without its acknowledgement. A stopping server repeats it without limit.
    /// </summary>
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
                if (!owner.IsLeaving)
                {
                    loanWriter.ChangeState(loan, LoanState.Arrived, now);
                }
                else
                {
                    ReturnOrEnd(loan, now, trace: null);
                }
            }
        }
    }

    /// <summary>True while a COMMAND_RELEASE to this owner is being sent or repeated.</summary>
    public bool IsReleasingTo(ServerId owner) => _releaseRequests.ContainsKey(owner);

    /// <summary>The worker gets RETURN as the answer to its next get_task. When it is not here, its loan ends.</summary>
    private void ReturnOrEnd(Loan loan, DateTimeOffset now, string? trace)
    {
        if (core.Workers.Find(loan.Worker) is null)
        {
            loanWriter.End(loan, "the worker is not here", now, trace);
            return;
        }

        loan.Record = loan.Record with { ReturnTraceParent = trace };
        loanWriter.ChangeState(loan, LoanState.Returning, now, trace);
    }

    private IEnumerable<Loan> LoansBeingReleased(ServerId owner) =>
        core.Loans.All.Where(loan => loan.State == LoanState.Releasing && loan.Peer == owner);

    private void Release(IEnumerable<Loan> loans, DateTimeOffset now)
    {
        foreach (var loan in loans.ToArray())
        {
            loanWriter.ChangeState(loan, LoanState.Releasing, now);

            // Without the pauses, workers could be released and requested again at once. They limit the number of loans per minute (docs/operations.md, "How many loans").
            var owner = core.Peers.Find(loan.Peer);
            owner?.PauseRequests(now + core.Settings.Balancing.ReleaseAfter);
            owner?.PauseRequests(loan.Record.Started + core.Settings.Timing.LoadBalancerInterval);
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
}

/// <summary>Borrower: the state of a COMMAND_RELEASE to one owner. It is repeated until RELEASE_ACK arrives or no tries are left.</summary>
internal sealed class ReleaseRequest(ServerId owner)
{
    public ServerId Owner { get; } = owner;

    public int Tries { get; set; }

    public bool IsInFlight { get; set; }

    public DateTimeOffset NextAttemptAt { get; set; }
}
