using Mesh.Accounts;
using Mesh.Protocol;
using MeshAspire.Worker;

namespace Mesh.Worker.Handlers;

/// <summary>Handles UPDATE: adds the amount to the balance, once for each task id.</summary>
internal sealed class UpdateHandler(ILedger ledger, LedgerRetryPolicy retryPolicy) : ITaskHandler<AccountTask, decimal>
{
    public async Task<decimal> HandleAsync(AccountTask payload, TaskContext context)
    {
        if (AccountRules.CheckUser(payload.User) is { } fault)
        {
            throw new TaskFailedException($"USER {fault}");
        }

        if (payload.Amount is not { } amount)
        {
            throw new TaskFailedException("AMOUNT is missing");
        }

        if (AccountRules.CheckAmount(amount) is { } wrong)
        {
            throw new TaskFailedException($"AMOUNT {wrong}");
        }

        // Without a TASK_ID, the retries of one attempt are applied once. A later attempt at the same task has another id and is applied again.
        var id = new TaskId(context.TaskId ?? Guid.NewGuid().ToString("n"));
        var update = await retryPolicy.ExecuteAsync(stop => ledger.UpdateAsync(payload.User, amount, id, stop), context.CancellationToken);
        return update.Outcome switch
        {
            LedgerOutcome.Applied => update.Balance!.Value,
            LedgerOutcome.UnknownUser => throw new TaskFailedException("unknown user"),
            LedgerOutcome.BelowZero => throw new TaskFailedException("the balance would go below zero"),
            LedgerOutcome.TooLarge => throw new TaskFailedException("the balance would get too large"),
            LedgerOutcome.Closed => throw new TaskFailedException("an earlier attempt has closed the task"),
            _ => throw new InvalidOperationException($"Unknown outcome {update.Outcome}."),
        };
    }
}
