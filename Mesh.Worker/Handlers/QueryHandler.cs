using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Worker.Handlers;

/// <summary>Handles QUERY: reads a balance.</summary>
internal sealed class QueryHandler(ILedger ledger, LedgerRetryPolicy retryPolicy) : ITaskHandler
{
    public TaskType Type => TaskType.Query;

    public async ValueTask<HandlerResult> HandleAsync(TaskAttempt task, CancellationToken cancellation)
    {
        if (task.User is not { } user)
        {
            return HandlerResult.Failed("USER is missing");
        }

        if (AccountRules.CheckUser(user) is { } fault)
        {
            return HandlerResult.Failed($"USER {fault}");
        }

        var balance = await retryPolicy.ExecuteAsync(stop => ledger.FindBalanceAsync(user, stop), cancellation);
        return balance is { } known ? HandlerResult.Done(known) : HandlerResult.Failed("unknown user");
    }
}
