namespace Mesh.Server.Storage;

/// <summary>
/// The scripts of the server lease. The lease record contains the holder and expires unless it is renewed. The fencing token, "number instance take", does not expire. It decides
/// which process may write, and only a process that acquires the lease changes it. A holder that was suspended can therefore continue unless another process has acquired the lease.
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
    /// KEYS: lease record, fencing token, handback request, tasks, dead letters, schedules. ARGV: instance, holder, expiry in milliseconds, owner or adopter, the fencing token of a holder that is
    /// known to have ended or '', the id of the request. Returns { result, fencing token, holder }. A repeated request with the same id returns the fencing token that the first one created.
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
        if ARGV[4] == 'adopter' and redis.call('HLEN', KEYS[4]) + redis.call('HLEN', KEYS[5]) + redis.call('HLEN', KEYS[6]) == 0 then return { 'empty', '', '' } end
        if instance ~= ARGV[1] or take ~= ARGV[6] then
          epoch = string.format('%d', (tonumber(number) or 0) + 1) .. ' ' .. ARGV[1] .. ' ' .. ARGV[6]
          redis.call('SET', KEYS[2], epoch)
        end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        redis.call('DEL', KEYS[3])
        return { 'taken', epoch, '' }
        """;

    /// <summary>
    /// KEYS: lease record, fencing token, handback request, last write number. ARGV: fencing token, holder, expiry in milliseconds, the number of the last write that the holder knows.
    /// Returns held, wanted, lost, or went-back when the store is older than the holder's last write. PEXPIRE needs no memory, so a full store does not lose the lease.
    /// On Garnet PEXPIRE fails on a key that has just expired.
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
    /// The holder accepts the state of the store, even if it is older than its last write. KEYS: lease record, fencing token, last write number. ARGV: fencing token, holder, expiry in
    /// milliseconds. Returns the number of the last write, or -1 when another process has acquired the lease.
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

    /// <summary>KEYS: lease record, fencing token. ARGV: fencing token.</summary>
    public const string Release =
        """
        if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
        return 0
        """;
}
