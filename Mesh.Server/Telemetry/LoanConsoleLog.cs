using Mesh.Protocol;
using Mesh.Server.Core;

namespace Mesh.Server.Telemetry;

/// <summary>
/// Tells a loan on the console in a few plain lines: what happened to several workers at once is one line. Every step by itself, with its ids, is
/// in <see cref="MeshEventLog"/>.
/// </summary>
internal sealed partial class LoanConsoleLog(ILogger<LoanConsoleLog> logger)
{
    /// <param name="happened">All that came out of one turn of the loop.</param>
    /// <param name="queue">Tasks that wait.</param>
    public void Report(IReadOnlyList<MeshEvent> happened, int queue)
    {
        foreach (var steps in happened.OfType<LoanStateChanged>().GroupBy(step => (step.Loan.State, step.Loan.Peer)))
        {
            Report(steps.Key.State, steps.Key.Peer, [.. steps.Select(step => step.Loan.Worker)], queue);
        }

        foreach (var completed in happened.OfType<ReleaseCompletedSent>())
        {
            LogHome(Names(completed.Workers), completed.Borrower);
        }
    }

    private static string Names(WorkerList workers) => string.Join(", ", workers.Select(worker => worker.Value));

    private void Report(LoanState state, ServerId peer, WorkerList workers, int queue)
    {
        switch (state)
        {
            case LoanState.Offered:
                LogLending(Names(workers), peer);
                break;
            case LoanState.Expected:
                LogBorrowing(queue, peer, Names(workers));
                break;
            case LoanState.Arrived:
                LogArrived(Names(workers), peer);
                break;
            case LoanState.Releasing:
                LogReleasing(Names(workers), peer);
                break;
            case LoanState.Lent or LoanState.Released or LoanState.Returning or LoanState.Returned:
                break;
            default:
                throw new InvalidOperationException($"Unknown loan state {state}.");
        }
    }
}
