namespace Mesh.Server.Core;

/// <summary>The only way a loan changes: in the book, in the journal and in what is told, together.</summary>
internal sealed class LoanWriter(CoreState core)
{
    /// <param name="trace">W3C context of the message that caused it, where it tells.</param>
    public Loan Open(LoanRecord record, bool stored = true, string? trace = null)
    {
        var loan = new Loan(record) { Stored = stored };
        core.Loans.Put(loan);
        core.Journal.Add(StoreOp.Of(StoreOpKind.PutLoan, record));
        core.Report(new LoanStateChanged(record, record.Since, trace ?? record.TraceParent));
        return loan;
    }

    public void ChangeState(Loan loan, LoanState state, DateTimeOffset now, string? trace = null)
    {
        var since = loan.Record.Since;
        loan.Record = loan.Record with { State = state, Since = now };
        core.Journal.Add(StoreOp.Of(StoreOpKind.PutLoan, loan.Record));
        core.Report(new LoanStateChanged(loan.Record, since, trace));
        if (state == LoanState.Returning)
        {
            core.WorkersWithChangedLoans.Add(loan.Worker);
        }
    }

    public void End(Loan loan, string reason, DateTimeOffset now, string? trace = null)
    {
        core.Loans.Remove(loan);
        core.Journal.Add(StoreOp.Of(StoreOpKind.DropLoan, loan.Record));
        core.Report(new LoanEnded(loan.Record, reason, now, trace));
        core.WorkersWithChangedLoans.Add(loan.Worker);
    }
}
