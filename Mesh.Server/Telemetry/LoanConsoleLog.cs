using Mesh.Protocol;
using Mesh.Server.Core;
using Mesh.Server.Core.Loans;

namespace Mesh.Server.Telemetry;

/// <summary>
/// Logs the main steps of loans for the console. A step of several workers of the same peer is one line. <see cref="MeshEventLog"/> logs every step of every
/// worker.
/// </summary>
internal sealed partial class LoanConsoleLog(ILogger<LoanConsoleLog> logger)
{
    /// <param name="happened">All events of one iteration of the loop.</param>
    /// <param name="queue">The number of waiting tasks.</param>
    public void Report(IReadOnlyList<MeshEvent> happened, int queue)
    {
        foreach (var steps in happened.OfType<LoanStateChanged>().GroupBy(step => (step.Loan.State, step.Loan.Peer)))
        {
            Report(steps.Key.State, steps.Key.Peer, [.. steps.Select(step => step.Loan.Worker)], queue);
        }

        foreach (var completed in happened.OfType<ReleaseCompletedSent>())
        {
            LogReturned(Names(completed.Workers), completed.Borrower);
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
                LogReturning(Names(workers), peer);
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

    [LoggerMessage(3303, LogLevel.Information, "Borrowed from {Owner}: {Workers}.")]
    private partial void LogArrived(string workers, ServerId owner);

    [LoggerMessage(3304, LogLevel.Information, "Returning to {Owner}: {Workers}.")]
    private partial void LogReturning(string workers, ServerId owner);

    [LoggerMessage(3305, LogLevel.Information, "Returned from {Borrower}: {Workers}.")]
    private partial void LogReturned(string workers, ServerId borrower);
}
