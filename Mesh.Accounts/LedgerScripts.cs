namespace Mesh.Accounts;

/// <summary>
/// The ledger's multi-step changes. KEYS: the balance, the task's mark. Update and Close answer { outcome, balance in units or '' }, the outcome one of the names here.
/// Balances are added by INCRBY and read back as strings: INCRBY counts in 64 bits, a Lua number is a double and would round.
/// </summary>
internal static class LedgerScripts
{
    public const string Applied = "applied";
    public const string Unknown = "unknown";
    public const string BelowZero = "below-zero";
    public const string TooLarge = "too-large";
    public const string Closed = "closed";

    /// <summary>
    /// ARGV: units to add, seconds that the mark is kept. INCRBY is the first write: a Redis that takes none says why there (OOM, READONLY, …), and that is no overflow.
    /// </summary>
    public const string Update =
        """
        local mark = redis.call('GET', KEYS[2])
        if mark == 'closed' then return { 'closed', '' } end
        if mark then return { 'applied', mark } end
        local before = redis.call('GET', KEYS[1])
        if not before then return { 'unknown', '' } end
        if not string.match(before, '^%-?%d+$') then return redis.error_reply('ERR the balance is not a whole number') end
        local after = redis.pcall('INCRBY', KEYS[1], ARGV[1])
        if type(after) == 'table' then
          if string.match(after.err, '^%-?ERR') then return { 'too-large', '' } end
          return after
        end
        if after < 0 then
          redis.call('SET', KEYS[1], before)
          return { 'below-zero', '' }
        end
        local balance = redis.call('GET', KEYS[1])
        redis.call('SET', KEYS[2], balance, 'EX', ARGV[2])
        return { 'applied', balance }
        """;

    /// <summary>ARGV: seconds that the mark is kept.</summary>
    public const string Close =
        """
        local mark = redis.call('GET', KEYS[2])
        if mark and mark ~= 'closed' then return { 'applied', mark } end
        redis.call('SET', KEYS[2], 'closed', 'EX', ARGV[1])
        return { 'closed', '' }
        """;

    /// <summary>ARGV: units. Answers 1 when the account is new.</summary>
    public const string Set =
        """
        local known = redis.call('EXISTS', KEYS[1])
        redis.call('SET', KEYS[1], ARGV[1])
        return 1 - known
        """;
}
