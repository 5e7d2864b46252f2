namespace Mesh.Server.Storage;

/// <summary>The store's multi-step changes.</summary>
internal static class RedisScripts
{
    public const string Accept = "accept";
    public const string AcceptKeyed = "accept-keyed";
    public const string Update = "update";
    public const string Settle = "settle";
    public const string MoveToDeadLetters = "bury";
    public const string RetryDeadLetter = "revive";
    public const string Drop = "drop";
    public const string PutLoan = "put-loan";
    public const string Restore = "restore";
    public const string DropLoan = "drop-loan";
    public const string Probe = "probe";

    /// <summary>The answer of a store that is older than what the writer knows of.</summary>
    public const int StoreRolledBack = 1;

    /// <summary>The answer to a write that a later one has overtaken.</summary>
    public const int Superseded = 2;

    /// <summary>Arguments of one change: its name, the wire id or worker, the client's id, the record.</summary>
    public const int ArgumentsPerOp = 4;

    /// <summary>Values of the answer for each task that was known: its id, and the record that the store has or ''.</summary>
    public const int ValuesPerExisting = 2;

    /// <summary>
    /// Applies changes in order; each does nothing when it was applied before. KEYS: tasks, ids, dead, loans, done, epoch, written, then the result's key
    /// of each accept-keyed, settle and restore. ARGV: seconds that results are kept, the writer's epoch, probe or '', the number of the last write that the writer knows of, that of
    /// this one, then four of each change. Answers the ids that were known already, each with its record, and those to revive that are not dead, each with ''; or changes nothing and answers 0 when the epoch is
    /// another's, 1 when the store is older than what the writer knows of, 2 when a later write was here before this one. The write's number comes last: a full store takes it behind what needs no memory. A probe writes first what takes memory, so that a full store refuses all.
    /// Each change writes before it deletes: Garnet, when it is killed, may keep the first part of a script alone, and the write is then repeated.
    /// A task that is not keyed by the client has no entry in ids; deleting there what is absent is harmless.
    /// </summary>
    public const string Write =
        """
        local epoch = redis.call('GET', KEYS[6])
        if epoch and epoch ~= ARGV[2] then
          return tonumber(string.match(epoch, '^%d+')) < tonumber(string.match(ARGV[2], '^%d+')) and 1 or 0
        end
        local written = tonumber(redis.call('GET', KEYS[7]) or '0')
        if written < tonumber(ARGV[4]) then return 1 end
        if tonumber(ARGV[5]) <= written then return 2 end
        if not epoch or ARGV[3] == 'probe' then redis.call('SET', KEYS[6], ARGV[2]) end
        local tasks, ids, dead, loans, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
        local known, key, settled = {}, 8, 0
        for i = 6, #ARGV, 4 do
          local op, wire, id, record = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
          if op == 'accept' then
            redis.call('HSET', tasks, wire, record)
          elseif op == 'settle' then
            if redis.call('HEXISTS', tasks, wire) == 1 then
              redis.call('SET', KEYS[key], record, 'EX', ARGV[1])
              if id ~= wire then redis.call('HDEL', ids, id) end
              redis.call('HDEL', tasks, wire)
              settled = settled + 1
            end
            key = key + 1
          elseif op == 'update' then
            if redis.call('HEXISTS', tasks, wire) == 1 then redis.call('HSET', tasks, wire, record) end
          elseif op == 'accept-keyed' then
            local owner = redis.call('HGET', ids, id)
            if owner ~= wire then
              local there = owner and (redis.call('HGET', tasks, owner) or '') or redis.call('GET', KEYS[key]) or redis.call('HGET', dead, id)
              if there then
                known[#known + 1] = id
                known[#known + 1] = there
              else
                redis.call('HSET', tasks, wire, record)
                redis.call('HSET', ids, id, wire)
              end
            end
            key = key + 1
          elseif op == 'bury' then
            if redis.call('HEXISTS', tasks, wire) == 1 then
              redis.call('HSET', dead, id, record)
              if id ~= wire then redis.call('HDEL', ids, id) end
              redis.call('HDEL', tasks, wire)
            end
          elseif op == 'revive' then
            if redis.call('HEXISTS', dead, id) == 1 then
              redis.call('HSET', tasks, wire, record)
              redis.call('HSET', ids, id, wire)
              redis.call('HDEL', dead, id)
            elseif redis.call('HEXISTS', tasks, wire) == 0 then
              known[#known + 1] = id
              known[#known + 1] = ''
            end
          elseif op == 'drop' then
            redis.call('HDEL', tasks, wire)
            if redis.call('HGET', ids, id) == wire then redis.call('HDEL', ids, id) end
          elseif op == 'restore' then
            if redis.call('EXISTS', KEYS[key]) == 0 then
              redis.call('HSET', tasks, wire, record)
              if id ~= wire then redis.call('HSET', ids, id, wire) end
              redis.call('HDEL', dead, id)
            end
            key = key + 1
          elseif op == 'put-loan' then
            redis.call('HSET', loans, wire, record)
          elseif op == 'drop-loan' then
            redis.call('HDEL', loans, wire)
          else
            return redis.error_reply('ERR unknown change ' .. op)
          end
        end
        if settled > 0 then redis.call('INCRBY', done, settled) end
        redis.call('SET', KEYS[7], ARGV[5])
        return known
        """;
}
