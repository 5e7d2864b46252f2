using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Simulation.Checks;
using Mesh.Simulation.Nodes;
using Mesh.Simulation.Time;
using StackExchange.Redis;

namespace Mesh.Simulation.Stores;

/// <summary>The accounts as one server sees them, with calls that can fail.</summary>
/// <param name="context">The process. The answers come in its context.</param>
internal sealed class SimLedgerClient(SimWorld world, ServerNode node, SimContext context) : ILedger
{
    public ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default) =>
        CallAsync(() => (Balance: world.Ledger.Find(user), true), found => found.Balance);

    public ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default) => CallAsync(
        () =>
        {
            var isNew = world.Ledger.Find(user) is null;
            world.Ledger.Open(user, balance);
            return isNew;
        },
        isNew => isNew);

    public ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default) =>
        CallAsync(() => world.Ledger.Update(user, amount, task), update => update);

    public ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default)
    {
        node.Log("voids", task);
        return world.Mutation == Mutation.DeadLetteredUnchecked
            ? new(new LedgerUpdate(LedgerOutcome.Closed))
            : CallAsync(() => world.Ledger.Close(user, task), closed =>
            {
                world.Coverage.Count(closed.Balance is null ? "task: void closed it" : "task: void found it applied");
                return closed;
            });
    }

    /// <summary>The marks are kept for the whole life.</summary>
    public void Settled(string user, TaskId task)
    {
    }

    private ValueTask<TAnswer> CallAsync<TServed, TAnswer>(Func<TServed> call, Func<TServed, TAnswer> answered)
        where TServed : struct
    {
        var answer = new TaskCompletionSource<TAnswer>();
        world.Ledger.Call(call, served => context.Run(() =>
        {
            if (served is { } known)
            {
                answer.SetResult(answered(known));
            }
            else
            {
                answer.SetException(new RedisTimeoutException("Redis does not answer.", CommandStatus.Unknown));
            }
        }));
        return new(answer.Task);
    }
}
