using System.Globalization;
using Mesh.Protocol;
using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>The ledger in Redis 7, Valkey or Garnet (with Lua).</summary>
/// <param name="database">Returns the database. Called at each use, so that an unavailable Redis or Sentinel does not delay the start.</param>
/// <param name="settledMarkRetention">The time that the outcome of a settled task is remembered, for delayed attempts. Null means 24 hours.</param>
public sealed class RedisLedger(Func<IDatabase> database, TimeSpan? settledMarkRetention = null) : ILedger
{
    /// <summary>The time that the outcome of an unsettled task is remembered. It is longer than any outage, because an attempt that arrives later is applied again.</summary>
    private static readonly TimeSpan UnsettledMarkRetention = TimeSpan.FromDays(31);

    private readonly TimeSpan _settledMarkRetention = settledMarkRetention ?? TimeSpan.FromHours(24);
    private readonly long _markSeconds = (long)UnsettledMarkRetention.TotalSeconds;

    /// <param name="database">The database that stores the ledger.</param>
    public RedisLedger(IDatabase database)
        : this(() => database)
    {
    }

    /// <summary>True when the store may keep only a part of a script's changes after a crash. Null until a server is connected.</summary>
    private bool? _isGarnet;

    private RedisValue Journal
    {
        get
        {
            _isGarnet ??= database().Multiplexer.GetServers().FirstOrDefault(server => server.IsConnected) is { } connected
                ? connected.GetProductVariant(out _) == ProductVariant.Garnet
                : null;
            return _isGarnet is true ? LedgerScripts.Journal : RedisValue.EmptyString;
        }
    }

    public async ValueTask<decimal?> FindBalanceAsync(string user, CancellationToken cancellation = default)
    {
        CheckUser(user);
        var balance = await database().StringGetAsync(AccountKeys.Balance(user)).WaitAsync(cancellation);
        return balance.IsNull ? null : FromUnits(balance);
    }

    public async ValueTask<bool> SetBalanceAsync(string user, decimal balance, CancellationToken cancellation = default)
    {
        CheckUser(user);
        if (AccountRules.CheckBalance(balance) is { } fault)
        {
            throw new ArgumentOutOfRangeException(nameof(balance), balance, fault);
        }

        var created = await database().ScriptEvaluateAsync(LedgerScripts.Set, [AccountKeys.Balance(user), AccountKeys.Journal(user)], [Journal, AccountRules.ToUnits(balance)])
            .WaitAsync(cancellation);
        return (long)created == 1;
    }

    public ValueTask<LedgerUpdate> UpdateAsync(string user, decimal amount, TaskId task, CancellationToken cancellation = default) =>
        RunAsync(LedgerScripts.Update, user, task, [Journal, _markSeconds, AccountRules.ToUnits(amount)], cancellation);

    public ValueTask<LedgerUpdate> CloseAsync(string user, TaskId task, CancellationToken cancellation = default) =>
        RunAsync(LedgerScripts.Close, user, task, [Journal, _markSeconds], cancellation);

    public void Settled(string user, TaskId task) => _ = database().KeyExpireAsync(AccountKeys.Mark(user, task), _settledMarkRetention, flags: CommandFlags.FireAndForget);

    private async ValueTask<LedgerUpdate> RunAsync(string script, string user, TaskId task, RedisValue[] arguments, CancellationToken cancellation)
    {
        CheckUser(user);
        var reply = await database().ScriptEvaluateAsync(script, [AccountKeys.Balance(user), AccountKeys.Journal(user), AccountKeys.Mark(user, task)], arguments)
            .WaitAsync(cancellation);
        return (string?)reply[0] switch
        {
            LedgerScripts.Applied => new(LedgerOutcome.Applied, FromUnits((RedisValue)reply[1])),
            LedgerScripts.Unknown => new(LedgerOutcome.UnknownUser),
            LedgerScripts.BelowZero => new(LedgerOutcome.BelowZero),
            LedgerScripts.TooLarge => new(LedgerOutcome.TooLarge),
            LedgerScripts.Closed => new(LedgerOutcome.Closed),
            var other => throw new InvalidOperationException($"A ledger script returned '{other}'."),
        };
    }

    private static decimal FromUnits(RedisValue units) => AccountRules.FromUnits(long.Parse(units.ToString(), CultureInfo.InvariantCulture));

    private static void CheckUser(string user)
    {
        if (AccountRules.CheckUser(user) is { } fault)
        {
            throw new ArgumentException($"A user's name {fault}.", nameof(user));
        }
    }
}
