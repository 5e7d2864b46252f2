using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Worker.Handlers;

/// <summary>Handles QUERY: reads a balance.</summary>
internal sealed class QueryHandler(ILedger ledger, LedgerRetryPolicy retryPolicy) : ITaskHandler
{
    public TaskType Type => TaskType.Query;

    public async ValueTask<HandlerResult> HandleAsync(NewTask task, CancellationToken cancellation)
    {
        if (AccountRules.CheckUser(task.User) is { } fault)
        {
            return HandlerResult.Failed($"USER {fault}");
        }

        var balance = await retryPolicy.ExecuteAsync(stop => ledger.FindBalanceAsync(task.User, stop), cancellation);
        return balance is { } known ? HandlerResult.Done(known) : HandlerResult.Failed("unknown user");
    }
}
