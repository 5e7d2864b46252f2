using System.Runtime.InteropServices;
using Mesh.Server.Core.Loans;

namespace Mesh.Server.Core;

/// <summary>The numbers of a server for its metrics. Unlike <see cref="ServerStatus"/> it has no entry for each worker, peer and loan.</summary>
/// <param name="Queue">The number of queued tasks.</param>
/// <param name="Running">The number of running tasks.</param>
/// <param name="Scheduled">The number of tasks that wait until a time.</param>
/// <param name="Adopted">The number of unsettled tasks of adopted servers.</param>
/// <param name="Workers">The number of workers in each state. States without workers are left out.</param>
/// <param name="Loans">The number of loans by role and state, likewise.</param>
internal sealed record ServerGauges(
    int Queue, int Running, int Scheduled, int Adopted, IReadOnlyDictionary<WorkerState, int> Workers, IReadOnlyDictionary<(LoanRole Role, LoanState State), int> Loans)
{
    public static ServerGauges Of(CoreState core)
    {
        var (workers, loans) = (new Dictionary<WorkerState, int>(), new Dictionary<(LoanRole, LoanState), int>());
        foreach (var worker in core.Workers.All)
        {
            Increment(workers, ServerStatus.StateOf(core, worker));
        }

        foreach (var loan in core.Loans.All)
        {
            Increment(loans, (loan.Record.Role, loan.State));
            if (ServerStatus.IsAway(core, loan))
            {
                Increment(workers, WorkerState.Lent);
            }
        }

        return new(core.Tasks.Depth, core.Tasks.Running, core.Tasks.Scheduled.Count, core.Adoptions.Values.Sum(adoption => core.Tasks.CountStoredBy(adoption.Server)), workers, loans);
    }

    private static void Increment<T>(Dictionary<T, int> counts, T key)
        where T : notnull => CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _)++;
}
