using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Server.ServerLeases;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>The store in Redis 7, Valkey or Garnet (with Lua).</summary>
/// <param name="database">Returns the database. Called at each use, so that an unavailable Redis does not delay the start.</param>
/// <param name="own">This server.</param>
/// <param name="resultRetention">The time that the result of a done task is kept, in whole seconds.</param>
/// <param name="leaseExpiry">A server lease that is not renewed for this time expires.</param>
internal sealed class RedisMeshStore(Func<IDatabase> database, ServerId own, TimeSpan resultRetention, TimeSpan leaseExpiry) : IMeshStore
{
    /// <summary>The number of changes after which a script call ends. A change and its follow-ups are in one call. An ordinary batch is one round trip, and a large batch does not block Redis for long.</summary>
    private const int OpsPerCall = 2_000;

    private const int ScanPage = 1_000;

    /// <summary>The size up to which the buffer for the records of a call is kept for the next one, in bytes.</summary>
    private const int MaxKeptRecords = 4 * 1024 * 1024;

    private readonly RedisServerLeases _leases = new(database, own, leaseExpiry);
    private readonly RedisKeys _keys = new(own);

    /// <summary>The buffer for the records of the next call, or null while a call uses it.</summary>
    private ArrayBufferWriter<byte>? _records;

    /// <summary>True after a write failed because the store was full, until a write that needs memory succeeds.</summary>
    private bool _full;

    public bool HasAdopted => _leases.Held.Any(server => server != own);

    public Task<ServerLeaseAcquireResult> AcquireLeaseAsync(ServerId server, ServerLeaseHolder self, string? gone, CancellationToken cancellationToken) =>
        ExecuteAsync(() => _leases.AcquireAsync(server, self, gone, cancellationToken));

    public Task<ServerLeaseRenewStatus> RenewLeaseAsync(ServerId server, CancellationToken cancellationToken) => ExecuteAsync(async () =>
        await _leases.RenewLeaseAsync(server, cancellationToken) is var state && state == ServerLeaseRenewStatus.Lost && server == own
            ? throw await CreateLeaseLostAsync(own, cancellationToken)
            : state);

    public Task ReleaseLeaseAsync(ServerId server, CancellationToken cancellationToken) => ExecuteAsync(async () =>
    {
        await _leases.ReleaseLeaseAsync(server, cancellationToken);
        return true;
    });

    public Task<StoredState> LoadAsync(ServerId server, CancellationToken cancellationToken) => ExecuteAsync(async () =>
    {
        var (redis, keys) = (database(), new RedisKeys(server));
        if (!await _leases.AcceptStateAsync(server, cancellationToken))
        {
            throw await CreateLeaseLostAsync(server, cancellationToken);
        }

        // An empty write makes Redis compile the script now instead of with the first tasks.
        _ = await WriteAsync(server, [], cancellationToken) ?? throw await CreateLeaseLostAsync(server, cancellationToken);
        await RedisDeadLetters.RepairIndexAsync(redis, keys, cancellationToken);
        var done = redis.StringGetAsync(keys.Done);
        var dead = redis.HashLengthAsync(keys.Dead);
        var lastDead = RedisDeadLetters.FindLastAsync(redis, keys, server, cancellationToken);
        var tasks = await ReadHashAsync(redis, keys.Tasks, StoreJson.Default.TaskRecord, task => task.WireId.Value, cancellationToken);
        var schedules = await ReadHashAsync(redis, keys.Schedules, StoreJson.Default.ScheduleRecord, schedule => schedule.Name, cancellationToken);
        var stored = new StoredState
        {
            Done = (long)await done.WaitAsync(cancellationToken),
            Dead = await dead.WaitAsync(cancellationToken),
            LastDeadSequence = (await lastDead)?.Sequence ?? 0,
            Tasks = server == own ? tasks : [.. tasks.Select(task => task with { StoredBy = server })],
            Loans = await ReadHashAsync(redis, keys.Loans, StoreJson.Default.LoanRecord, loan => loan.Worker.Value, cancellationToken),
            Schedules = server == own ? schedules : [.. schedules.Select(schedule => schedule with { StoredBy = server })],
        };
        _leases.Find(server)?.MustReload = false;
        return stored;
    });

    public Task<IReadOnlyDictionary<string, TaskRecord?>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken) => ExecuteAsync<IReadOnlyDictionary<string, TaskRecord?>>(async () =>
    {
        if (_leases.Find(own) is { MustReload: true })
        {
            throw new StoreRolledBackException();
        }

        if (!batch.Ops.Exists(op => op.StoredBy is not null))
        {
            return await WriteOwnAsync(batch, batch.Ops, cancellationToken);
        }

        Dictionary<string, TaskRecord?> known = [];
        foreach (var part in batch.Ops.GroupBy(op => op.StoredBy))
        {
            var ops = part.ToList();
            if (part.Key is not { } storedBy)
            {
                foreach (var (id, stored) in await WriteOwnAsync(batch, ops, cancellationToken))
                {
                    known[id] = stored;
                }

                continue;
            }

            // An adopter accepts no submissions for the other server, so only retries and deletions of dead letters, follow-ups and tasks of schedules can be refused. When the lease is
            // lost, no change is made.
            var existing = (await WriteAsync(storedBy, ops, cancellationToken))?.Known;
            foreach (var task in ops.SelectMany(op => op is { Kind: StoreOpKind.PutSchedule, Task: { } fired } ? [fired] : op.Then ?? []).Where(task => existing?.ContainsKey(task.Id) != false))
            {
                known[task.ExistingTaskKey] = existing?[task.Id];
            }

            foreach (var op in ops.Where(op => op.Kind == StoreOpKind.DropSchedule && existing is null))
            {
                known[op.Schedule!.UnwrittenKey] = null;
            }

            foreach (var key in existing?.Keys.Where(key => key.StartsWith(StoreOp.MissingDeadLetterPrefix, StringComparison.Ordinal)) ?? [])
            {
                known[key] = null;
            }

            foreach (var op in ops.Where(op => existing is null ? op.IsReportedWhenRefused : op.Kind == StoreOpKind.RetryDeadLetter && existing.ContainsKey(op.Task!.Id)))
            {
                known[op.Task!.ExistingTaskKey] = null;
            }
        }

        return known;
    });

    public Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken) => ExecuteAsync(async () =>
    {
        foreach (var server in ReadableServers())
        {
            var (redis, keys) = (database(), new RedisKeys(server));
            var result = redis.StringGetAsync(keys.Result(id));
            var dead = redis.HashGetAsync(keys.Dead, id);
            await Task.WhenAll(result, dead).WaitAsync(cancellationToken);
            var (key, record) = (await result).IsNull ? (keys.Dead, await dead) : (keys.Result(id), await result);
            if (!record.IsNull)
            {
                return ReadTask(key, record, server);
            }
        }

        return null;
    });

    public Task<DeadLetterPage> ReadDeadAsync(DeadLetterQuery query, CancellationToken cancellationToken) => ExecuteAsync(() =>
        DeadLetterPages.CollectAsync(query, [.. ReadableServers()], (server, after) =>
        {
            var keys = new RedisKeys(server);
            return RedisDeadLetters.ReadAsync(database(), keys, server, after, record => ReadTask(keys.Dead, record, server), cancellationToken);
        }));

    public Task<IReadOnlyList<DeadLetterCursor>> FindLastDeadAsync(CancellationToken cancellationToken) => ExecuteAsync<IReadOnlyList<DeadLetterCursor>>(async () =>
        [.. (await Task.WhenAll(ReadableServers().Select(server => RedisDeadLetters.FindLastAsync(database(), new(server), server, cancellationToken)))).OfType<DeadLetterCursor>()]);

    internal static T Read<T>(RedisKey key, RedisValue value, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(((ReadOnlyMemory<byte>)value).Span, type)
                ?? throw new InvalidDataException($"The store's {key} holds a record that is null.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"The store's {key} holds a record that cannot be read: {exception.Message}", exception);
        }
    }

    private static async Task<IReadOnlyList<T>> ReadHashAsync<T>(IDatabase redis, RedisKey key, JsonTypeInfo<T> type, Func<T, string> idOf, CancellationToken cancellationToken)
    {
        // A scan may return an entry twice, and the later one is the present one.
        var records = new Dictionary<string, T>(StringComparer.Ordinal);
        await foreach (var entry in redis.HashScanAsync(key, pageSize: ScanPage).WithCancellation(cancellationToken))
        {
            var record = Read(key, entry.Value, type);
            records[idOf(record)] = record;
        }

        return [.. records.Values];
    }

    private static void AddExisting(RedisKeys keys, RedisValue[] reply, Dictionary<string, TaskRecord?> known)
    {
        for (var i = 1; i < reply.Length; i += RedisScripts.ValuesPerExisting)
        {
            var (id, record) = (reply[i].ToString(), reply[i + 1]);
            known[id] = record.IsNullOrEmpty ? null : TryReadExisting(keys.Result(id), record);
        }
    }

    // A later version wrote the record. Its id is known nevertheless.
    private static TaskRecord? TryReadExisting(RedisKey key, RedisValue record)
    {
        try
        {
            return Read(key, record, StoreJson.Default.TaskRecord);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private async Task<T> ExecuteAsync<T>(Func<Task<T>> use)
    {
        try
        {
            return await use();
        }
        catch (Exception exception) when (RedisErrorClassifier.Reason(exception) is { } reason)
        {
            _full |= RedisErrorClassifier.IsFull(exception);
            throw new StoreUnavailableException(reason, exception);
        }
    }

    /// <summary>This server, followed by the servers that it has adopted.</summary>
    private IEnumerable<ServerId> ReadableServers() => _leases.Held.Where(server => server != own).Prepend(own);

    private TaskRecord ReadTask(RedisKey key, RedisValue value, ServerId server)
    {
        var task = Read(key, value, StoreJson.Default.TaskRecord);
        return server == own ? task : task with { StoredBy = server };
    }

    private async Task<Dictionary<string, TaskRecord?>> WriteOwnAsync(StoreBatch batch, List<StoreOp> ops, CancellationToken cancellationToken)
    {
        var (known, dead) = await WriteAsync(own, ops, cancellationToken) ?? throw await CreateLeaseLostAsync(own, cancellationToken);
        batch.DeadLetters = dead;
        return known;
    }

    /// <summary>Writes changes to the state of one server. Returns the known tasks and the number of dead letters, or null when this process does not hold its lease any more.</summary>
    private async Task<(Dictionary<string, TaskRecord?> Known, long Dead)?> WriteAsync(ServerId server, List<StoreOp> ops, CancellationToken cancellationToken)
    {
        var (redis, keys) = (database(), server == own ? _keys : new RedisKeys(server));
        Dictionary<string, TaskRecord?> known = [];
        var (start, dead) = (0, 0L);
        do
        {
            if (_leases.Find(server) is not { } lease)
            {
                return null;
            }

            var count = CountForOneCall(ops, start);
            var (probe, number) = (_full, lease.NextWriteNumber());
            var records = Interlocked.Exchange(ref _records, null) ?? new();
            var arguments = new WriteArguments(keys, lease, number, resultRetention, probe, records, CollectionsMarshal.AsSpan(ops).Slice(start, count));

            // One call after the other, so that a call that must be repeated is not overtaken by the next.
            var reply = await redis.ScriptEvaluateAsync(RedisScripts.Write, arguments.Keys, arguments.ToValues()).WaitAsync(cancellationToken);
            Keep(records);
            if (reply.Resp2Type == ResultType.Integer)
            {
                if ((int)reply == RedisScripts.Superseded)
                {
                    throw new StoreUnavailableException("A write arrived at the store after a later one.");
                }

                if ((int)reply == RedisScripts.StoreRolledBack && server == own)
                {
                    lease.MustReload = true;
                    throw new StoreRolledBackException();
                }

                // Another process has the lease, or the store of an adopted server was rolled back. The core can adopt that server again, with the state that the store has now.
                _leases.Drop(server);
                return null;
            }

            lease.Acknowledge(number);
            _full &= !probe;
            var values = (RedisValue[])reply!;
            AddExisting(keys, values, known);
            dead = (long)values[0];
            start += count;
        }
        while (start < ops.Count);

        return (known, dead);
    }

    private static int CountForOneCall(List<StoreOp> ops, int start)
    {
        var (count, changes) = (0, 0);
        while (start + count < ops.Count && changes < OpsPerCall)
        {
            changes += WriteArguments.CountChanges(ops[start + count]);
            count++;
        }

        return count;
    }

    /// <summary>Keeps the buffer of a call that Redis has answered. After a call that failed, the client may still send it, so its buffer is not used again.</summary>
    private void Keep(ArrayBufferWriter<byte> records)
    {
        if (records.Capacity <= MaxKeptRecords)
        {
            records.ResetWrittenCount();
            _records = records;
        }
    }

    private async Task<ServerLeaseLostException> CreateLeaseLostAsync(ServerId server, CancellationToken cancellationToken) =>
        new(server, await _leases.FindHolderAsync(server, cancellationToken));
}
