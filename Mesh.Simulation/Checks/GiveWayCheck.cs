using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;
using Mesh.Server.Core.Workers;
using Mesh.Simulation.Nodes;

namespace Mesh.Simulation.Checks;

/// <summary>Checks that a borrower gives way to an owner with a higher load (docs/protocol.md, "When workers go home").</summary>
internal sealed class GiveWayCheck(SimWorld world)
{
    /// <summary>The number of balancing rounds within which the workers are released. The first round must release them. The others allow for a state that changes within a step.</summary>
    private const int MaxRounds = 4;

    /// <summary>The workers that must be released, with the time since which this has been so after each step. A new process has a new core.</summary>
    private readonly Dictionary<(ServerCore Borrower, WorkerId Worker), DateTimeOffset> _due = [];

    /// <summary>Called after each step of a server.</summary>
    public void OnStep(ServerNode server, ServerCore core, DateTimeOffset now)
    {
        var loans = core.State.Loans.All;
        if (loans.Count == 0)
        {
            return;
        }

        foreach (var loan in loans)
        {
            if (loan.Record.Role != LoanRole.Borrower)
            {
                continue;
            }

            var key = (core, loan.Worker);
            if (!MustRelease(server, core, loan, now))
            {
                if (_due.Remove(key, out var since) && loan.State == LoanState.Releasing)
                {
                    world.Coverage.Count("loan: released to give way");
                }
            }
            else if (!_due.TryAdd(key, now) && now - _due[key] > MaxRounds * server.Settings.Timing.LoadBalancerInterval)
            {
                throw new InvariantViolation(
                    Invariant.BorrowersGiveWay, $"{server.Name}, with a queue of {core.QueueDepth}, keeps {loan.Worker} of {loan.Peer}, which has reported a longer one {now - _due[key]} ago");
            }
        }
    }

    private static bool MustRelease(ServerNode server, ServerCore core, Loan loan, DateTimeOffset now)
    {
        var settings = server.Settings.Balancing;
        return loan.State is LoanState.Expected or LoanState.Arrived
            && core.State.Peers.Find(loan.Peer)?.Load is { } load && load.Queue > settings.MaxQueueThreshold && load.Queue > core.QueueDepth
            && now - loan.Record.Started >= settings.ReleaseAfter
            && !IsOnlyHandler(core, loan);
    }

    /// <summary>Whether a task waits that no other worker handles, and that this one handles or may handle.</summary>
    private static bool IsOnlyHandler(ServerCore core, Loan loan)
    {
        var own = loan.State == LoanState.Arrived ? core.FindWorker(loan.Worker)?.Handles : null;
        return core.State.Tasks.Queues.Any(queue => own?.Contains(queue.Type) != false && !core.State.Workers.All.Any(other =>
            other.Id != loan.Worker && other.Handles.Contains(queue.Type) && MayRelyOn(core, other)));
    }

    private static bool MayRelyOn(ServerCore core, WorkerEntry worker) =>
        core.State.Loans.Find(worker.Id) is { } loan ? loan is { Record.Role: LoanRole.Borrower, State: LoanState.Arrived } : Lender.IsAtHome(worker, core.State) && !worker.Health.IsSetAside;
}
