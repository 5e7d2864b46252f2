using StackExchange.Redis;

namespace Mesh.Tests.Server.Storage;

/// <summary>A snapshot of one server's keys in a Redis. Restoring it simulates a power loss after which the last part of the append-only file is missing.</summary>
internal sealed class StoreSnapshot
{
    private static readonly string[] Hashes = ["tasks", "ids", "dead", "loans", "schedules"];
    private static readonly string[] Strings = ["done", "epoch", "written"];

    private readonly Dictionary<string, HashEntry[]> _hashes = [];
    private readonly Dictionary<string, RedisValue> _strings = [];

    /// <summary>Reads all keys except the results.</summary>
    public static async Task<StoreSnapshot> OfAsync(IDatabase redis, string server)
    {
        var memory = new StoreSnapshot();
        foreach (var name in Hashes)
        {
            memory._hashes[Key(server, name)] = await redis.HashGetAllAsync(Key(server, name));
        }

        foreach (var name in Strings)
        {
            memory._strings[Key(server, name)] = await redis.StringGetAsync(Key(server, name));
        }

        return memory;
    }

    /// <summary>Restores the snapshot in one step, and deletes these results.</summary>
    public async Task RestoreAsync(IDatabase redis, params IEnumerable<RedisKey> results)
    {
        var step = redis.CreateTransaction();
        List<Task> under = [.. results.Select(result => step.KeyDeleteAsync(result))];
        foreach (var (key, entries) in _hashes)
        {
            under.Add(step.KeyDeleteAsync(key));
            if (entries.Length > 0)
            {
                under.Add(step.HashSetAsync(key, entries));
            }
        }

        foreach (var (key, value) in _strings)
        {
            under.Add(value.IsNull ? step.KeyDeleteAsync(key) : step.StringSetAsync(key, value));
        }

        Assert.True(await step.ExecuteAsync());
        await Task.WhenAll(under);
    }

    private static string Key(string server, string name) => $"mesh:{{{server}}}:{name}";
}
