namespace Mesh.Server.Storage;

/// <summary>The script of the store's writes.</summary>
internal static class RedisScripts
{
    public const string Accept = "accept";
    public const string AcceptKeyed = "accept-keyed";
    public const string Update = "update";
    public const string Settle = "settle";
    public const string Then = "then";
    public const string MoveToDeadLetters = "bury";
    public const string IndexDeadLetter = "index-dead";
    public const string RetryDeadLetter = "revive";
    public const string Drop = "drop";
    public const string PutLoan = "put-loan";
    public const string Restore = "restore";
    public const string DropLoan = "drop-loan";
    public const string Cancel = "cancel";
    public const string DeleteDeadLetter = "delete-dead";
    public const string PutSchedule = "put-schedule";
    public const string DropSchedule = "drop-schedule";
    public const string Probe = "probe";

    /// <summary>The reply of a store that is older than the writer's last write.</summary>
    public const int StoreRolledBack = 1;

    /// <summary>The reply to a write that arrives after a later one.</summary>
    public const int Superseded = 2;

    /// <summary>The number of arguments of one change: its name, the wire id, worker, schedule or number, the client's id, the record.</summary>
    public const int ArgumentsPerOp = 4;

    /// <summary>The number of values in the reply for each task that was already known, after the number of dead letters: its id, and the record that the store has or ''.</summary>
    public const int ValuesPerExisting = 2;

    /// <summary>
    /// Applies changes in order. A change that was applied before does nothing. KEYS: tasks, ids, dead letters, loans, done, fencing token, last write number, dead letter index, then the result key
    /// of each accept-keyed, then, settle, restore and cancel, and the schedules for each put-schedule and drop-schedule. ARGV: the retention of results in seconds, the writer's fencing token, probe or '', the number of the last write that the writer
    /// knows, the number of this write, then four arguments for each change. Returns the number of dead letters, then the ids that were already known, each with its record, and those of dead letters to retry
    /// that do not exist, each with ''. Changes nothing and returns 0 when the fencing token is that of another process, 1 when the store is older than the writer's last write, and
    /// 2 when a later write arrived before this one.
    /// The number of the write is written last: a full store accepts it after changes that need no memory. A probe first writes what needs memory, so that a full store refuses the write.
    /// Each change writes before it deletes: when Garnet is killed, it may keep only the first part of a script, and the write is then repeated.
    /// A delete-dead has the beginning of the record instead of the record: a dead letter with the same id and another wire id is a later one and stays. A dead letter that is not there
    /// is returned as a line feed and its wire id, with ''.
    /// The then changes before a settle are the tasks that it adds. One HSET writes them, and the completed record in place of the unsettled one, so that also a Garnet that is killed
    /// has all of them or none. A settle whose task is not unsettled any more adds nothing, and returns those that are not unsettled, each with ''.
    /// What many changes have in common is one command: tasks are accepted with one HSET and removed with one HDEL, before the next change of another kind and at the end. For accept-keyed
    /// changes in a row, what the store has of their ids is read before the first of them.
    /// A task without a client's key has no entry in ids. Deleting a missing entry there has no effect.
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
        local known, key, settled, follow = { 0 }, 9, 0, {}
        local accepted, acceptedIds, removed, removedIds = {}, {}, {}, {}
        local recordOf, wireOf, isRemoved = {}, {}, {}
        local function flush()
          if #accepted > 0 then
            redis.call('HSET', tasks, unpack(accepted))
            if #acceptedIds > 0 then redis.call('HSET', ids, unpack(acceptedIds)) end
            accepted, acceptedIds, recordOf, wireOf = {}, {}, {}, {}
          end
          if #removed > 0 then
            if #removedIds > 0 then redis.call('HDEL', ids, unpack(removedIds)) end
            settled = settled + redis.call('HDEL', tasks, unpack(removed))
            removed, removedIds, isRemoved = {}, {}, {}
          end
        end
        local function accept(wire, record)
          accepted[#accepted + 1] = wire
          accepted[#accepted + 1] = record
          recordOf[wire] = record
        end
        local last, at, owners, results, buried = 0, 0
        local function look_up(i)
          local names, keys = {}, {}
          repeat
            names[#names + 1] = ARGV[i + 2]
            keys[#keys + 1] = KEYS[key + #keys]
            last, i = i, i + 4
          until ARGV[i] ~= 'accept-keyed'
          owners, results, buried = redis.call('HMGET', ids, unpack(names)), redis.call('MGET', unpack(keys)), redis.call('HMGET', dead, unpack(names))
          at = 0
        end
        local grouped = { accept = true, ['accept-keyed'] = true, ['then'] = true, settle = true }
        for i = 6, #ARGV, 4 do
          local op, wire, id, record = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
          if not grouped[op] then flush() end
          if op == 'accept' then
            if isRemoved[wire] then flush() end
            accept(wire, record)
          elseif op == 'then' then
            follow[#follow + 1] = { wire, id, record, KEYS[key] }
            key = key + 1
          elseif op == 'settle' then
            if #follow > 0 or recordOf[wire] or isRemoved[wire] then flush() end
            local unsettled = redis.call('HEXISTS', tasks, wire) == 1
            if #follow > 0 then
              local rows, names = { wire, record }, {}
              for _, task in ipairs(follow) do
                if redis.call('HEXISTS', tasks, task[1]) == 0 then
                  local owner = redis.call('HGET', ids, task[2])
                  local there = not unsettled and '' or owner and (redis.call('HGET', tasks, owner) or '') or redis.call('GET', task[4]) or redis.call('HGET', dead, task[2])
                  if there then
                    known[#known + 1] = task[2]
                    known[#known + 1] = there
                  else
                    rows[#rows + 1] = task[1]
                    rows[#rows + 1] = task[3]
                    if task[1] ~= task[2] then
                      names[#names + 1] = task[2]
                      names[#names + 1] = task[1]
                    end
                  end
                end
              end
              if unsettled and #rows > 2 then
                redis.call('HSET', tasks, unpack(rows))
                if #names > 0 then redis.call('HSET', ids, unpack(names)) end
              end
              follow = {}
            end
            if unsettled then
              redis.call('SET', KEYS[key], record, 'EX', ARGV[1])
              removed[#removed + 1] = wire
              isRemoved[wire] = true
              if id ~= wire then removedIds[#removedIds + 1] = id end
            end
            key = key + 1
          elseif op == 'update' then
            if redis.call('HEXISTS', tasks, wire) == 1 then redis.call('HSET', tasks, wire, record) end
          elseif op == 'accept-keyed' then
            if i > last then
              flush()
              look_up(i)
            end
            at = at + 1
            local owner = owners[at] or wireOf[id]
            if owner ~= wire then
              local there = owner and (recordOf[owner] or redis.call('HGET', tasks, owner) or '') or results[at] or buried[at]
              if there then
                known[#known + 1] = id
                known[#known + 1] = there
              else
                accept(wire, record)
                acceptedIds[#acceptedIds + 1] = id
                acceptedIds[#acceptedIds + 1] = wire
                wireOf[id] = wire
              end
            end
            key = key + 1
          elseif op == 'bury' then
            if redis.call('HEXISTS', tasks, wire) == 1 then
              redis.call('HSET', dead, id, record)
              if id ~= wire then redis.call('HDEL', ids, id) end
              redis.call('HDEL', tasks, wire)
            end
          elseif op == 'index-dead' then
            if redis.call('HEXISTS', dead, id) == 1 then redis.call('ZADD', KEYS[8], wire, id) end
          elseif op == 'revive' then
            if redis.call('HEXISTS', dead, id) == 1 then
              redis.call('HSET', tasks, wire, record)
              redis.call('HSET', ids, id, wire)
              redis.call('HDEL', dead, id)
              redis.call('ZREM', KEYS[8], id)
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
              redis.call('ZREM', KEYS[8], id)
            end
            key = key + 1
          elseif op == 'cancel' then
            if redis.call('HEXISTS', tasks, wire) == 1 then
              redis.call('SET', KEYS[key], record, 'EX', ARGV[1])
              if id ~= wire then redis.call('HDEL', ids, id) end
              redis.call('HDEL', tasks, wire)
            end
            key = key + 1
          elseif op == 'delete-dead' then
            local there = redis.call('HGET', dead, id)
            if there and string.sub(there, 1, #record) == record then
              redis.call('HDEL', dead, id)
              redis.call('ZREM', KEYS[8], id)
            else
              known[#known + 1] = '\n' .. wire
              known[#known + 1] = ''
            end
          elseif op == 'put-loan' then
            redis.call('HSET', loans, wire, record)
          elseif op == 'drop-loan' then
            redis.call('HDEL', loans, wire)
          elseif op == 'put-schedule' then
            redis.call('HSET', KEYS[key], wire, record)
            key = key + 1
          elseif op == 'drop-schedule' then
            redis.call('HDEL', KEYS[key], wire)
            key = key + 1
          else
            return redis.error_reply('ERR unknown change ' .. op)
          end
        end
        flush()
        if settled > 0 then redis.call('INCRBY', done, settled) end
        redis.call('SET', KEYS[7], ARGV[5])
        known[1] = redis.call('HLEN', dead)
        return known
        """;
}
