using Mesh.Accounts;
using MeshAspire.Worker;

namespace Mesh.Worker.Handlers;

/// <summary>Handles QUERY: reads a balance.</summary>
internal sealed class QueryHandler(ILedger ledger, LedgerRetryPolicy retryPolicy) : ITaskHandler<AccountTask, decimal>
{
    public async Task<decimal> HandleAsync(AccountTask payload, TaskContext context)
    {
        if (AccountRules.CheckUser(payload.User) is { } fault)
        {
            throw new TaskFailedException($"USER {fault}");
        }

        var balance = await retryPolicy.ExecuteAsync(stop => ledger.FindBalanceAsync(payload.User, stop), context.CancellationToken);
        return balance ?? throw new TaskFailedException("unknown user");
    }
}
