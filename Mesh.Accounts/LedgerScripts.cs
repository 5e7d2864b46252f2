namespace Mesh.Accounts;

/// <summary>
/// The ledger's multi-step changes. KEYS: the balance, the account's journal and, but for Set, the task's mark. ARGV: 'journal' where the store needs one, else
/// '', then what each names. Update and Close answer { outcome, balance in units or '' }, the outcome one of the names here. Balances are added by INCRBY and read back as strings: INCRBY counts in 64 bits, a Lua number is a
/// double and would round.
/// </summary>
/// <remarks>
/// Redis and Valkey write the changes of a script to their log as one; a Garnet that is killed may have written the first of them alone. With a journal an update therefore notes its
/// mark and the balance before, changes the balance, sets the mark and clears the note: four changes, each atomic. Who comes next finds a note that was not cleared, and sees by the
/// balance whether the update was made; if so the journal remembers its result until the task is tried again.
/// </remarks>
internal static class LedgerScripts
{
    public const string Applied = "applied";
    public const string Unknown = "unknown";
    public const string BelowZero = "below-zero";
    public const string TooLarge = "too-large";
    public const string Closed = "closed";

    /// <summary>A part of the error that reports a balance that the ledger has not written.</summary>
    public const string InvalidBalanceError = "the balance is not a whole number";

    /// <summary>The first argument where the store needs a journal.</summary>
    public const string Journal = "journal";

    /// <summary>
    /// ARGV: seconds that the mark is kept, units to add. INCRBY is the first write without a journal: a Redis that takes none says why there (OOM, READONLY, …), and that is
    /// no overflow.
    /// </summary>
    public const string Update = Recover + RecoverMark +
        """
        local mark = redis.call('GET', KEYS[3])
        if mark == 'closed' then return { 'closed', '' } end
        if mark then return { 'applied', mark } end
        local before = redis.call('GET', KEYS[1])
        if not before then return { 'unknown', '' } end
        if not string.match(before, '^%d+$') then return redis.error_reply('ERR the balance is not a whole number of at least 0') end
        local less = string.match(ARGV[3], '^%-(%d+)$')
        if less and (#before < #less or (#before == #less and before < less)) then return { 'below-zero', '' } end
        if journal then redis.call('HSET', KEYS[2], 'mark', KEYS[3], 'before', before) end
        local after = redis.pcall('INCRBY', KEYS[1], ARGV[3])
        if type(after) == 'table' then
          if journal then redis.call('HDEL', KEYS[2], 'mark', 'before') end
          if string.match(after.err, '^%-?ERR') then return { 'too-large', '' } end
          return after
        end
        local balance = redis.call('GET', KEYS[1])
        redis.call('SET', KEYS[3], balance, 'EX', ARGV[2])
        if journal then redis.call('HDEL', KEYS[2], 'mark', 'before') end
        return { 'applied', balance }
        """;

    /// <summary>ARGV: seconds that the mark is kept.</summary>
    public const string Close = Recover + RecoverMark +
        """
        local mark = redis.call('GET', KEYS[3])
        if mark and mark ~= 'closed' then return { 'applied', mark } end
        redis.call('SET', KEYS[3], 'closed', 'EX', ARGV[2])
        return { 'closed', '' }
        """;

    /// <summary>ARGV: units. Answers 1 when the account is new.</summary>
    public const string Set = Recover +
        """
        local known = redis.call('EXISTS', KEYS[1])
        redis.call('SET', KEYS[1], ARGV[2])
        return 1 - known
        """;

    /// <summary>Ends the update of this account that a crash of the store has cut off.</summary>
    private const string Recover =
        """
        local journal = ARGV[1] == 'journal'
        if journal then
          local open = redis.call('HMGET', KEYS[2], 'mark', 'before')
          if open[1] then
            local now = redis.call('GET', KEYS[1])
            if now ~= open[2] then redis.call('HSET', KEYS[2], 'made ' .. open[1], now) end
            redis.call('HDEL', KEYS[2], 'mark', 'before')
          end
        end

        """;

    /// <summary>Sets the mark of this task if its update was cut off before that.</summary>
    private const string RecoverMark =
        """
        if journal then
          local made = redis.call('HGET', KEYS[2], 'made ' .. KEYS[3])
          if made then
            redis.call('SET', KEYS[3], made, 'EX', ARGV[2])
            redis.call('HDEL', KEYS[2], 'made ' .. KEYS[3])
          end
        end

        """;
}
