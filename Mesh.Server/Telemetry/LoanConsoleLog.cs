using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

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

    [LoggerMessage(3301, LogLevel.Information, "{Queue} tasks wait; {Owner} lends {Workers}.")]
    private partial void LogBorrowing(int queue, ServerId owner, string workers);

    [LoggerMessage(3302, LogLevel.Information, "Lending {Workers} to {Borrower}.")]
    private partial void LogLending(string workers, ServerId borrower);

    [LoggerMessage(3303, LogLevel.Information, "Here to help from {Owner}: {Workers}.")]
    private partial void LogArrived(string workers, ServerId owner);

    [LoggerMessage(3304, LogLevel.Information, "Going back to {Owner}: {Workers}.")]
    private partial void LogReleasing(string workers, ServerId owner);

    [LoggerMessage(3305, LogLevel.Information, "Home again from {Borrower}: {Workers}.")]
    private partial void LogHome(string workers, ServerId borrower);
}
