namespace Mesh.Server.Core;

/// <summary>The only way a loan changes: in the book, in the journal and in what is told, together.</summary>
internal sealed class LoanKeeper(CoreState core)
{
    public Loan Open(LoanRecord record, bool stored = true)
    {
        var loan = new Loan(record) { Stored = stored };
        core.Loans.Put(loan);
        core.Journal.Add(StoreOp.Of(StoreOpKind.PutLoan, record));
        core.Tell(new LoanStepped(record));
        return loan;
    }

    public void Step(Loan loan, LoanState state, DateTimeOffset now)
    {
        loan.Record = loan.Record with { State = state, Since = now };
        core.Journal.Add(StoreOp.Of(StoreOpKind.PutLoan, loan.Record));
        core.Tell(new LoanStepped(loan.Record));
        if (state == LoanState.Returning)
        {
            core.Reconsider.Add(loan.Worker);
        }
    }

    public void End(Loan loan, string reason)
    {
        core.Loans.Remove(loan);
        core.Journal.Add(StoreOp.Of(StoreOpKind.DropLoan, loan.Record));
        core.Tell(new LoanEnded(loan.Record, reason));
        core.Reconsider.Add(loan.Worker);
    }
}
