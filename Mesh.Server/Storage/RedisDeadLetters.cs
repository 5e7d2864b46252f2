using Mesh.Protocol;
using Mesh.Server.Core.Tasks;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>Reads the dead letters of one server in the order of their acceptance, from the index that the write's script maintains.</summary>
internal static class RedisDeadLetters
{
    /// <summary>The number of dead letters that are added to an index at once.</summary>
    private const int IndexPage = 1_000;

    /// <summary>
    /// Builds the index when it does not have as many entries as there are dead letters: a server of a version without an index has written them, or a Garnet was killed between the
    /// two. Entries without a dead letter are removed.
    /// </summary>
    public static async Task RepairIndexAsync(IDatabase redis, RedisKeys keys, CancellationToken cancellationToken)
    {
        var dead = redis.HashLengthAsync(keys.Dead);
        var indexed = redis.SortedSetLengthAsync(keys.DeadIndex);
        await Task.WhenAll(dead, indexed).WaitAsync(cancellationToken);
        if (await dead == await indexed)
        {
            return;
        }

        await redis.KeyDeleteAsync(keys.DeadIndex).WaitAsync(cancellationToken);
        await foreach (var some in redis.HashScanAsync(keys.Dead, pageSize: IndexPage).Select(entry => ToIndexEntry(keys, entry)).Chunk(IndexPage).WithCancellation(cancellationToken))
        {
            await redis.SortedSetAddAsync(keys.DeadIndex, some).WaitAsync(cancellationToken);
        }
    }

    /// <summary>Returns the next dead letters after a position, as <see cref="DeadLetterPages.CollectAsync"/> needs them.</summary>
    public static async Task<IReadOnlyList<(DeadLetterCursor At, TaskRecord? Task)>> ReadAsync(
        IDatabase redis, RedisKeys keys, ServerId server, DeadLetterCursor? after, Func<RedisValue, TaskRecord> readTask, CancellationToken cancellationToken)
    {
        // Two dead letters can have the same number when the clock was set back between two starts. The one at the position is read again, and skipped.
        var entries = await redis.SortedSetRangeByScoreWithScoresAsync(keys.DeadIndex, start: after?.Sequence ?? double.NegativeInfinity, take: DeadLetterPages.ReadSize + 1)
            .WaitAsync(cancellationToken);
        var skipped = after is null ? 0 : 1 + Array.FindIndex(entries, entry => entry.Element == after.Id && (long)entry.Score == after.Sequence);
        entries = [.. entries.Skip(skipped).Take(DeadLetterPages.ReadSize)];
        if (entries.Length == 0)
        {
            return [];
        }

        var records = await redis.HashGetAsync(keys.Dead, [.. entries.Select(entry => entry.Element)]).WaitAsync(cancellationToken);
        return [.. entries.Zip(records, (entry, record) => (
            new DeadLetterCursor(server, (long)entry.Score, entry.Element.ToString()), record.IsNull ? null : readTask(record)))];
    }

    /// <summary>Returns the position of the last dead letter, or null when there is none.</summary>
    public static async Task<DeadLetterCursor?> FindLastAsync(IDatabase redis, RedisKeys keys, ServerId server, CancellationToken cancellationToken) =>
        await redis.SortedSetRangeByRankWithScoresAsync(keys.DeadIndex, 0, 0, Order.Descending).WaitAsync(cancellationToken) is [var last]
            ? new(server, (long)last.Score, last.Element.ToString())
            : null;

    private static SortedSetEntry ToIndexEntry(RedisKeys keys, HashEntry entry) => new(entry.Name, RedisMeshStore.Read(keys.Dead, entry.Value, StoreJson.Default.TaskRecord).Sequence);
}
