using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Worker.Handlers;

/// <summary>Handles UPDATE: adds the amount to the balance, once for each task id.</summary>
internal sealed class UpdateHandler(ILedger ledger, LedgerRetryPolicy retryPolicy) : ITaskHandler
{
    public TaskType Type => TaskType.Update;

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

        if (task.Amount is not { } amount)
        {
            return HandlerResult.Failed("AMOUNT is missing");
        }

        if (AccountRules.CheckAmount(amount) is { } wrong)
        {
            return HandlerResult.Failed($"AMOUNT {wrong}");
        }

        // Without a TASK_ID, the retries of one attempt are applied once. A later attempt at the same task has another id and is applied again.
        var id = task.Id ?? new TaskId(Guid.NewGuid().ToString("n"));
        var update = await retryPolicy.ExecuteAsync(stop => ledger.UpdateAsync(user, amount, id, stop), cancellation);
        return update.Outcome switch
        {
            LedgerOutcome.Applied => HandlerResult.Done(update.Balance!.Value),
            LedgerOutcome.UnknownUser => HandlerResult.Failed("unknown user"),
            LedgerOutcome.BelowZero => HandlerResult.Failed("the balance would go below zero"),
            LedgerOutcome.TooLarge => HandlerResult.Failed("the balance would get too large"),
            LedgerOutcome.Closed => HandlerResult.Failed("an earlier attempt has closed the task"),
            _ => throw new InvalidOperationException($"Unknown outcome {update.Outcome}."),
        };
    }
}
