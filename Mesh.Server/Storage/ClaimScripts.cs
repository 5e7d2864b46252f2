namespace Mesh.Server.Storage;

/// <summary>
/// The claim on a server's id. The claim itself expires unless it is renewed, and says who is there. The epoch stays: it says who may write, "number instance",
/// and only a taker changes it. So a holder that was held up may go on as long as nobody has taken its place, and not a write longer.
/// </summary>
internal static class ClaimScripts
{
    public const string Taken = "taken";
    public const string Held = "held";
    public const string Unknown = "unknown";
    public const string Empty = "empty";
    public const string Wanted = "wanted";
    public const string Lost = "lost";

    public const string Owner = "owner";
    public const string Adopter = "adopter";

    /// <summary>
    /// KEYS: claim, epoch, wanted, tasks, dead. ARGV: instance, holder, milliseconds until it expires, owner or adopter, an epoch whose holder is known to be gone or ''.
    /// Answers { result, epoch, holder }.
    /// </summary>
    public const string Take =
        """
        local holder, epoch = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
        if ARGV[4] == 'adopter' and not epoch then return { 'unknown', '', '' } end
        if holder and epoch and epoch ~= ARGV[5] and string.match(epoch, ' (.*)$') ~= ARGV[1] then
          if ARGV[4] == 'owner' then redis.call('SET', KEYS[3], '1', 'PX', ARGV[3]) end
          return { 'held', epoch, holder }
        end
        if ARGV[4] == 'adopter' and redis.call('HLEN', KEYS[4]) + redis.call('HLEN', KEYS[5]) == 0 then return { 'empty', '', '' } end
        local number = epoch and tonumber(string.match(epoch, '^%d+')) or 0
        epoch = string.format('%d', number + 1) .. ' ' .. ARGV[1]
        redis.call('SET', KEYS[2], epoch)
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        redis.call('DEL', KEYS[3])
        return { 'taken', epoch, '' }
        """;

    /// <summary>
    /// KEYS: claim, epoch, wanted. ARGV: epoch, holder, milliseconds until it expires. A store that has lost all it knew is taken as it is.
    /// Answers held, wanted or lost. PEXPIRE takes no memory: a full store does not cost the claim.
    /// </summary>
    public const string Renew =
        """
        local epoch = redis.call('GET', KEYS[2])
        if epoch and epoch ~= ARGV[1] then return 'lost' end
        if not epoch then redis.call('SET', KEYS[2], ARGV[1]) end
        if redis.call('PEXPIRE', KEYS[1], ARGV[3]) == 0 then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
        if redis.call('EXISTS', KEYS[3]) == 1 then return 'wanted' end
        return 'held'
        """;

    /// <summary>KEYS: claim, epoch. ARGV: epoch.</summary>
    public const string Release =
        """
        if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
        return 0
        """;
}
