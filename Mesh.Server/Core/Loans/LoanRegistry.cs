using Mesh.Protocol;

namespace Mesh.Server.Core;

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
