using Mesh.Accounts;
using Mesh.Protocol;

namespace Mesh.Worker.Handlers;

/// <summary>UPDATE: adds to a balance, once per task.</summary>
internal sealed class UpdateHandler(ILedger ledger, LedgerRetryPolicy retryPolicy) : ITaskHandler
{
    public TaskType Type => TaskType.Update;

    public async ValueTask<HandlerResult> HandleAsync(NewTask task, CancellationToken cancellation)
    {
        if (AccountRules.CheckUser(task.User) is { } fault)
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

        // A server that sends no TASK_ID may have an attempt counted again when it gives it out again; within this attempt it counts once.
        var id = task.Id ?? new TaskId(Guid.NewGuid().ToString("n"));
        var update = await retryPolicy.ExecuteAsync(stop => ledger.UpdateAsync(task.User, amount, id, stop), cancellation);
        return update.Outcome switch
        {
            LedgerOutcome.Applied => HandlerResult.Done(update.Balance!.Value),
            LedgerOutcome.UnknownUser => HandlerResult.Failed("unknown user"),
            LedgerOutcome.BelowZero => HandlerResult.Failed("the balance would go below zero"),
            LedgerOutcome.TooLarge => HandlerResult.Failed("the balance would get too large"),
            LedgerOutcome.Closed => HandlerResult.Failed("the task was given up before"),
            _ => throw new InvalidOperationException($"Unknown outcome {update.Outcome}."),
        };
    }
}
