using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Workers;

namespace Mesh.Server.Core.Loans;

/// <summary>A loan in memory: the stored record, and state that is not stored.</summary>
internal sealed class Loan(LoanRecord record)
{
    public LoanRecord Record { get; set; } = record;

    public WorkerId Worker => Record.Worker;

    public LoanState State => Record.State;

    public ServerId Peer => Record.Peer;

    /// <summary>Borrower: true after the first task was sent to the worker.</summary>
    public bool HasServedTask { get; set; }

    /// <summary>Borrower: the time of the first balancing round since which the worker has run no task and handled no type of the backlog, or null.</summary>
    public DateTimeOffset? UnusedSince { get; set; }

    /// <summary>Borrower: the TASKS of the WORKER_REQUEST that the owner answered, or null when this is not known.</summary>
    public TaskTypeSet? RequestedTypes { get; init; }

    /// <summary>Owner: false while a new offer is being stored. Otherwise true.</summary>
    public bool Stored { get; set; } = true;
}

/// <summary>The loans of this server, as owner and as borrower. A worker has at most one loan.</summary>
/// <param name="workers">Their entries tell whether they have a loan.</param>
internal sealed class LoanRegistry(WorkerRegistry workers)
{
    private readonly Dictionary<WorkerId, Loan> _loans = [];

    public IReadOnlyCollection<Loan> All => _loans.Values;

    public Loan? Find(WorkerId worker) => _loans.GetValueOrDefault(worker);

    public Loan? Find(WorkerId worker, LoanRole role) => Find(worker) is { } loan && loan.Record.Role == role ? loan : null;

    public void Put(Loan loan)
    {
        _loans[loan.Worker] = loan;
        workers.Find(loan.Worker)?.HasLoan = true;
    }

    public void Remove(Loan loan)
    {
        _loans.Remove(loan.Worker);
        workers.Find(loan.Worker)?.HasLoan = false;
    }

    public bool Contains(Loan loan) => ReferenceEquals(Find(loan.Worker), loan);

    public IEnumerable<Loan> InState(LoanState state) => _loans.Values.Where(loan => loan.State == state);
}

/// <summary>
/// Changes the state of loans. Each change updates the <see cref="LoanRegistry"/>, adds a write to the journal and reports an event. No other type changes a
/// loan's state.
/// </summary>
internal sealed class LoanWriter(CoreState core)
{
    /// <param name="trace">The W3C trace context of the message that caused the change, or null.</param>
    /// <param name="requested">Borrower: the value of <see cref="Loan.RequestedTypes"/>.</param>
    public Loan Open(LoanRecord record, bool stored = true, string? trace = null, TaskTypeSet? requested = null)
    {
        var loan = new Loan(record) { Stored = stored, RequestedTypes = requested };
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
