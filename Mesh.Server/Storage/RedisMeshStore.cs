using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mesh.Accounts;
using Mesh.Protocol;
using Mesh.Server.Core;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>The store in Redis 7, Valkey or Garnet (with Lua).</summary>
/// <param name="database">Where it is kept; asked for at each use, so that a Redis that is away does not hold up the start.</param>
/// <param name="resultRetention">How long a done task can be read, whole seconds.</param>
internal sealed class RedisMeshStore(Func<IDatabase> database, ServerId server, TimeSpan resultRetention) : IMeshStore
{
    /// <summary>Changes in one script call: an ordinary batch is one round trip, and a huge one does not block Redis for long.</summary>
    private const int OpsPerCall = 2_000;

    private const int ScanPage = 1_000;

    private readonly RedisKeys _keys = new(server);

    public async Task<StoredState> LoadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var redis = database();
            await CompileAsync(redis, cancellationToken);
            var done = redis.StringGetAsync(_keys.Done);
            var dead = redis.HashLengthAsync(_keys.Dead);
            return new StoredState
            {
                Done = (long)await done.WaitAsync(cancellationToken),
                Dead = await dead.WaitAsync(cancellationToken),
                Tasks = await ReadHashAsync(redis, _keys.Tasks, StoreJson.Default.TaskRecord, cancellationToken),
                Loans = await ReadHashAsync(redis, _keys.Loans, StoreJson.Default.LoanRecord, cancellationToken),
            };
        }
        catch (Exception exception) when (IsAway(exception))
        {
            throw Away(exception);
        }
    }

    public async Task<IReadOnlySet<string>> WriteAsync(StoreBatch batch, CancellationToken cancellationToken)
    {
        HashSet<string>? known = null;
        try
        {
            var redis = database();
            for (var start = 0; start < batch.Ops.Count; start += OpsPerCall)
            {
                var count = Math.Min(OpsPerCall, batch.Ops.Count - start);
                var arguments = new WriteArguments(_keys, resultRetention, count);
                for (var i = start; i < start + count; i++)
                {
                    arguments.Add(batch.Ops[i]);
                }

                // One call after the other: a call that has to be sent again must not be overtaken by the next.
                var reply = await redis.ScriptEvaluateAsync(RedisScripts.Write, arguments.Keys, arguments.Values).WaitAsync(cancellationToken);
                foreach (var id in (string[])reply!)
                {
                    (known ??= []).Add(id);
                }
            }
        }
        catch (Exception exception) when (IsAway(exception))
        {
            throw Away(exception);
        }

        return known ?? (IReadOnlySet<string>)FrozenSet<string>.Empty;
    }

    public async Task<TaskRecord?> FindSettledAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            var redis = database();
            var result = redis.StringGetAsync(_keys.Result(id));
            var dead = redis.HashGetAsync(_keys.Dead, id);
            await Task.WhenAll(result, dead).WaitAsync(cancellationToken);
            var key = _keys.Result(id);
            return (await result).IsNull
                ? (await dead).IsNull ? null : Read(_keys.Dead, await dead, StoreJson.Default.TaskRecord)
                : Read(key, await result, StoreJson.Default.TaskRecord);
        }
        catch (Exception exception) when (IsAway(exception))
        {
            throw Away(exception);
        }
    }

    public async Task<IReadOnlyList<TaskRecord>> ListDeadAsync(int limit, CancellationToken cancellationToken)
    {
        try
        {
            // A scan that keeps the oldest: dead letters may be far more than what is asked for.
            var oldest = new PriorityQueue<TaskRecord, long>();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            await foreach (var entry in database().HashScanAsync(_keys.Dead, pageSize: ScanPage).WithCancellation(cancellationToken))
            {
                var task = Read(_keys.Dead, entry.Value, StoreJson.Default.TaskRecord);
                if (!seen.Add(task.Id))
                {
                    continue;
                }

                oldest.Enqueue(task, -task.Sequence);
                if (oldest.Count > limit)
                {
                    seen.Remove(oldest.Dequeue().Id);
                }
            }

            return [.. oldest.UnorderedItems.Select(item => item.Element).OrderBy(task => task.Sequence)];
        }
        catch (Exception exception) when (IsAway(exception))
        {
            throw Away(exception);
        }
    }

    /// <summary>A write of nothing: Redis compiles the script now and not under the first tasks, and one that runs no scripts says so at the start.</summary>
    private async Task CompileAsync(IDatabase redis, CancellationToken cancellationToken)
    {
        var nothing = new WriteArguments(_keys, resultRetention, 0);
        await redis.ScriptEvaluateAsync(RedisScripts.Write, nothing.Keys, nothing.Values).WaitAsync(cancellationToken);
    }

    private static async Task<IReadOnlyList<T>> ReadHashAsync<T>(IDatabase redis, RedisKey key, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        // A scan may give an entry twice.
        var records = new Dictionary<string, T>(StringComparer.Ordinal);
        await foreach (var entry in redis.HashScanAsync(key, pageSize: ScanPage).WithCancellation(cancellationToken))
        {
            records[entry.Name.ToString()] = Read(key, entry.Value, type);
        }

        return [.. records.Values];
    }

    private static T Read<T>(RedisKey key, RedisValue value, JsonTypeInfo<T> type)
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

    private static StoreAwayException Away(Exception exception) => new(
        exception switch
        {
            // The client's own messages run over many lines.
            RedisConnectionException lost => $"Redis: no connection ({lost.FailureType}).",
            RedisTimeoutException => "Redis: no answer in time.",
            _ => $"Redis: {exception.Message}",
        },
        exception);

    private static bool IsAway(Exception exception) => LedgerFaults.IsStoreAway(exception) || exception switch
    {
        RedisServerException refused => IsRefusal(refused.Message),
        ObjectDisposedException => true,
        _ => false,
    };

    // The first word of a server's error is its code, the only form in which the client hands it over.
    private static bool IsRefusal(string error) => error.AsSpan(0, Math.Max(0, error.IndexOf(' ', StringComparison.Ordinal))) switch
    {
        "LOADING" or "MISCONF" or "READONLY" or "OOM" or "BUSY" or "MASTERDOWN" or "CLUSTERDOWN" or "TRYAGAIN" or "NOREPLICAS" => true,
        _ => false,
    };
}
