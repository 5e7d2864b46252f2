namespace Mesh.Accounts;

/// <summary>
/// The scripts of the ledger. KEYS: the balance, the account's journal and, except for Set, the task's mark. ARGV: 'journal' when the store needs a journal, otherwise '', followed by
/// the arguments of each script. Update and Close return { outcome, balance in units or '' }. Balances are added by INCRBY and read back as strings, because INCRBY counts in
/// 64 bits and a Lua number is a double, which would round.
/// </summary>
/// <remarks>
/// Redis and Valkey write the changes of a script to their log as one entry. A Garnet that is killed may have written only the first changes. With a journal, an update therefore
/// makes four changes, each of them atomic: it notes its mark and the previous balance, changes the balance, sets the mark and clears the note. The next script finds a note that was not
/// cleared, and the balance shows whether the update was made. If so, the journal keeps its result until the task is tried again.
/// </remarks>
internal static class LedgerScripts
{
    public const string Applied = "applied";
    public const string Unknown = "unknown";
    public const string BelowZero = "below-zero";
    public const string TooLarge = "too-large";
    public const string Closed = "closed";

    /// <summary>A part of the error message when the balance was not written by the ledger.</summary>
    public const string InvalidBalanceError = "the balance is not a whole number";

    /// <summary>The first argument when the store needs a journal.</summary>
    public const string Journal = "journal";

    /// <summary>
    /// ARGV: the retention of the mark in seconds, the units to add. Without a journal INCRBY is the first write. A Redis that refuses writes returns its reason there (OOM, READONLY, …),
    /// which must not be taken for an overflow.
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

    /// <summary>ARGV: the retention of the mark in seconds.</summary>
    public const string Close = Recover + RecoverMark +
        """
        local mark = redis.call('GET', KEYS[3])
        if mark and mark ~= 'closed' then return { 'applied', mark } end
        redis.call('SET', KEYS[3], 'closed', 'EX', ARGV[2])
        return { 'closed', '' }
        """;

    /// <summary>ARGV: units. Returns 1 when the account is new.</summary>
    public const string Set = Recover +
        """
        local known = redis.call('EXISTS', KEYS[1])
        redis.call('SET', KEYS[1], ARGV[2])
        return 1 - known
        """;

    /// <summary>Completes the last update of this account when a crash of the store has interrupted it.</summary>
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

    /// <summary>Sets the mark of this task when its update was interrupted before that.</summary>
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
