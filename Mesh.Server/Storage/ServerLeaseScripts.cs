namespace Mesh.Server.Storage;

/// <summary>
/// The claim on a server's id. The claim itself expires unless it is renewed, and says who is there. The epoch stays: it says who may write, "number instance take",
/// and only a taker changes it. So a holder that was held up may go on as long as nobody has taken its place, and not a write longer.
/// </summary>
internal static class ServerLeaseScripts
{
    public const string Acquired = "taken";
    public const string Held = "held";
    public const string Unknown = "unknown";
    public const string Empty = "empty";
    public const string HandbackRequested = "wanted";
    public const string Lost = "lost";
    public const string StoreRolledBack = "went-back";

    public const string Owner = "owner";
    public const string Adopter = "adopter";

    /// <summary>
    /// KEYS: claim, epoch, wanted, tasks, dead. ARGV: instance, holder, milliseconds until it expires, owner or adopter, an epoch whose holder is known to be gone or '', take.
    /// Answers { result, epoch, holder }. The same take again, as one whose answer was lost and that arrives behind its repeat, answers the epoch that it has made.
    /// </summary>
    public const string Acquire =
        """
        local holder, epoch = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
        if ARGV[4] == 'adopter' and not epoch then return { 'unknown', '', '' } end
        local number, instance, take = string.match(epoch or '', '^(%d+) (%S+) ?(%S*)$')
        if holder and epoch and epoch ~= ARGV[5] and instance ~= ARGV[1] then
          if ARGV[4] == 'owner' then redis.call('SET', KEYS[3], '1', 'PX', ARGV[3]) end
          return { 'held', epoch, holder }
        end
        if ARGV[4] == 'adopter' and redis.call('HLEN', KEYS[4]) + redis.call('HLEN', KEYS[5]) == 0 then return { 'empty', '', '' } end
        if instance ~= ARGV[1] or take ~= ARGV[6] then
          epoch = string.format('%d', (tonumber(number) or 0) + 1) .. ' ' .. ARGV[1] .. ' ' .. ARGV[6]
          redis.call('SET', KEYS[2], epoch)
        end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        redis.call('DEL', KEYS[3])
        return { 'taken', epoch, '' }
        """;

    /// <summary>
    /// KEYS: claim, epoch, wanted, written. ARGV: epoch, holder, milliseconds until it expires, the number of the last write that the holder knows of.
    /// Answers held, wanted, lost, or went-back when the store is older than what the holder knows. PEXPIRE takes no memory: a full store does not cost the claim.
    /// Garnet fails it on a key that has just expired.
    /// </summary>
    public const string Renew =
        """
        local epoch = redis.call('GET', KEYS[2])
        if epoch and epoch ~= ARGV[1] then
          return tonumber(string.match(epoch, '^%d+')) < tonumber(string.match(ARGV[1], '^%d+')) and 'went-back' or 'lost'
        end
        if tonumber(redis.call('GET', KEYS[4]) or '0') < tonumber(ARGV[4]) then return 'went-back' end
        if not epoch then redis.call('SET', KEYS[2], ARGV[1]) end
        if redis.pcall('PEXPIRE', KEYS[1], ARGV[3]) ~= 1 then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
        if redis.call('EXISTS', KEYS[3]) == 1 then return 'wanted' end
        return 'held'
        """;

    /// <summary>
    /// The holder takes the store as it is, older as it may be than what it knows. KEYS: claim, epoch, written. ARGV: epoch, holder, milliseconds until it expires.
    /// Answers the number of the last write, or -1 when another has taken the claim.
    /// </summary>
    public const string AcceptState =
        """
        local epoch = redis.call('GET', KEYS[2])
        if epoch ~= ARGV[1] then
          if epoch and tonumber(string.match(epoch, '^%d+')) >= tonumber(string.match(ARGV[1], '^%d+')) then return -1 end
          redis.call('SET', KEYS[2], ARGV[1])
          redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        end
        return tonumber(redis.call('GET', KEYS[3]) or '0')
        """;

    /// <summary>KEYS: claim, epoch. ARGV: epoch.</summary>
    public const string Release =
        """
        if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
        return 0
        """;
}
