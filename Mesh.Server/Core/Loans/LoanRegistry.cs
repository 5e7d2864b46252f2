using Mesh.Protocol;
using Mesh.Server.Core.Persistence;

namespace Mesh.Server.Core.Loans;

/// <summary>One worker's loan, seen from this side.</summary>
internal sealed class Loan(LoanRecord record)
{
    public LoanRecord Record { get; set; } = record;

    public WorkerId Worker => Record.Worker;

    public LoanState State => Record.State;

    public ServerId Peer => Record.Peer;

    /// <summary>Borrower: the worker has had a task here.</summary>
    public bool HasServedTask { get; set; }

    /// <summary>False only while an offer is on its way to the store.</summary>
    public bool Stored { get; set; } = true;
}

/// <summary>The loans of this server, as owner and as borrower: at most one a worker.</summary>
internal sealed class LoanRegistry
{
    private readonly Dictionary<WorkerId, Loan> _loans = [];

    public IReadOnlyCollection<Loan> All => _loans.Values;

    public Loan? Find(WorkerId worker) => _loans.GetValueOrDefault(worker);

    public Loan? Find(WorkerId worker, LoanRole role) => Find(worker) is { } loan && loan.Record.Role == role ? loan : null;

    public void Put(Loan loan) => _loans[loan.Worker] = loan;

    public void Remove(Loan loan) => _loans.Remove(loan.Worker);

    public bool Contains(Loan loan) => ReferenceEquals(Find(loan.Worker), loan);

    public IEnumerable<Loan> InState(LoanState state) => _loans.Values.Where(loan => loan.State == state);
}

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
