using Mesh.Protocol;

namespace Mesh.Server.Core.Loans;

/// <summary>
/// Owner: the workers that borrowers have released and that are expected home, in batches. Sends RELEASE_COMPLETED when a batch is complete
/// (docs/protocol.md, "A loan, step by step").
/// </summary>
internal sealed class ReleaseBatches(CoreState core)
{
    private readonly List<ReleaseBatch> _batches = [];

    public int Count => _batches.Count;

    public bool Contains(ServerId borrower) => _batches.Exists(batch => batch.Borrower == borrower);

    /// <summary>Expects a worker that was released before this server started. Such workers of one borrower are one batch.</summary>
    public void Restore(LoanRecord record, DateTimeOffset now)
    {
        var batch = _batches.Find(batch => batch.Borrower == record.Peer);
        if (batch is null)
        {
            batch = new ReleaseBatch(record.Peer, now + core.Settings.Loans.ReturnTimeout);
            _batches.Add(batch);
        }

        batch.PendingWorkers.Add(record.Worker);
    }

    /// <summary>Adds a batch. A batch without pending workers is completed immediately.</summary>
    public void Add(ReleaseBatch batch)
    {
        _batches.Add(batch);
        CompleteIfReturned(batch);
    }

    /// <summary>Handles the return of a worker. The batches that wait for no other worker are completed.</summary>
    public void OnReturned(WorkerId worker)
    {
        foreach (var batch in _batches.Where(batch => batch.PendingWorkers.Remove(worker)).ToArray())
        {
            batch.ReturnedWorkers.Add(worker);
            CompleteIfReturned(batch);
        }
    }

    /// <summary>Returns the batches whose deadline has passed.</summary>
    public IReadOnlyList<ReleaseBatch> FindExpired(DateTimeOffset now) => [.. _batches.Where(batch => batch.Deadline <= now)];

    /// <summary>Removes a batch, and sends RELEASE_COMPLETED with the workers that have returned. Several messages are sent when one is too small for them.</summary>
    public void Complete(ReleaseBatch batch)
    {
        _batches.Remove(batch);
        for (var reported = 0; reported < batch.ReturnedWorkers.Count;)
        {
            var count = WorkerList.CountFittingOneMessage(batch.ReturnedWorkers.Skip(reported));
            var completed = new ReleaseCompleted(core.Settings.Id, [.. batch.ReturnedWorkers.GetRange(reported, count)]) { TraceParent = batch.TraceParent };
            reported += count;
            core.Effects.PeerSends.Add(new PeerSendEffect(batch.Borrower, completed, ExpectsReply: false));
            core.Report(new ReleaseCompletedSent(batch.Borrower, completed.Workers, batch.TraceParent));
        }
    }

    private void CompleteIfReturned(ReleaseBatch batch)
    {
        if (batch.PendingWorkers.Count == 0)
        {
            Complete(batch);
        }
    }
}

/// <summary>Owner: workers that a borrower released with one COMMAND_RELEASE. RELEASE_COMPLETED names those that are home before the deadline.</summary>
internal sealed class ReleaseBatch(ServerId borrower, DateTimeOffset deadline)
{
    public ServerId Borrower { get; } = borrower;

    public DateTimeOffset Deadline { get; } = deadline;

    /// <summary>The W3C trace context of the return.</summary>
    public string? TraceParent { get; init; }

    public HashSet<WorkerId> PendingWorkers { get; } = [];

    public List<WorkerId> ReturnedWorkers { get; } = [];
}
