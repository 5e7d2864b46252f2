using System.Globalization;
using Mesh.Accounts;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>
/// Reads the settings of Redis 7 and Valkey by INFO, which more users are permitted to call than CONFIG. Reads by CONFIG only what INFO does not contain.
/// Garnet has no eviction policy.
/// </summary>
/// <param name="connection">Returns the connection. Called at the first use, so that an unavailable Redis does not delay the start.</param>
internal sealed class RedisDurabilityInspector(Func<IConnectionMultiplexer> connection) : IStoreDurabilityInspector
{
    private const string NoEviction = "noeviction";

    private IConnectionMultiplexer? _connection;

    public event Action? Reconnected;

    public async Task<StoreDurability> InspectAsync(CancellationToken cancellationToken)
    {
        try
        {
            var primaries = Connect().GetServers().Where(server => server.IsConnected && !server.IsReplica).ToList();
            if (primaries.Count == 0)
            {
                throw new StoreUnavailableException("Redis: no connection to a primary.");
            }

            // A cluster has several primaries. The least durable one counts.
            var all = await Task.WhenAll(primaries.Select(ReadAsync)).WaitAsync(cancellationToken);
            var eviction = all.MaxBy(one => one.Eviction switch
            {
                StoreEviction.None => 0,
                StoreEviction.Unknown => 1,
                StoreEviction.Possible => 2,
                _ => throw new InvalidOperationException($"Unknown eviction {one.Eviction}."),
            });
            return eviction with { Persistence = all.Max(one => one.Persistence) };
        }
        catch (Exception exception) when (RedisErrorClassifier.Reason(exception) is { } reason)
        {
            throw new StoreUnavailableException(reason, exception);
        }
    }

    private IConnectionMultiplexer Connect()
    {
        if (_connection is null)
        {
            _connection = connection();
            _connection.ConnectionRestored += (_, _) => Reconnected?.Invoke();
            _connection.ConfigurationChanged += (_, _) => Reconnected?.Invoke();
        }

        return _connection;
    }

    private static async Task<StoreDurability> ReadAsync(IServer server)
    {
        var (eviction, settings) = server.GetProductVariant(out _) == ProductVariant.Garnet
            ? (StoreEviction.None, "")
            : await ReadEvictionAsync(server);
        return new StoreDurability(eviction, settings, await ReadPersistenceAsync(server));
    }

    private static async Task<(StoreEviction Eviction, string Settings)> ReadEvictionAsync(IServer server)
    {
        var memory = await InfoAsync(server, "memory");
        var policy = Field(memory, "maxmemory_policy") ?? await ConfigAsync(server, "maxmemory-policy");
        if (policy is null)
        {
            return (StoreEviction.Unknown, "");
        }

        if (policy == NoEviction)
        {
            return (StoreEviction.None, "");
        }

        var limit = Field(memory, "maxmemory") ?? await ConfigAsync(server, "maxmemory");
        return long.TryParse(limit, CultureInfo.InvariantCulture, out var bytes) && bytes == 0
            ? (StoreEviction.None, "")
            : (StoreEviction.Possible, $"maxmemory-policy is {policy} and maxmemory is {limit ?? "unknown"}");
    }

    private static async Task<StorePersistence> ReadPersistenceAsync(IServer server)
    {
        var logs = Field(await InfoAsync(server, "persistence"), "aof_enabled") switch
        {
            "1" => true,
            "0" => false,
            _ => await ConfigAsync(server, "appendonly") switch
            {
                "yes" => true,
                "no" => false,
                _ => (bool?)null,
            },
        };
        return logs is true ? StorePersistence.AppendOnlyFile : await ConfigAsync(server, "save") switch
        {
            null => StorePersistence.Unknown,
            "" when logs is null => StorePersistence.Unknown,
            "" => StorePersistence.None,
            _ => StorePersistence.Snapshots,
        };
    }

    private static async Task<string> InfoAsync(IServer server, string section) => (string?)await TryExecuteAsync(server, "INFO", section) ?? "";

    // The reply has the name and the value. It is empty for a name that the server does not know.
    private static async Task<string?> ConfigAsync(IServer server, string name) =>
        await TryExecuteAsync(server, "CONFIG", "GET", name) is { Length: >= 2 } pair ? (string?)pair[1] : null;

    private static async Task<RedisResult?> TryExecuteAsync(IServer server, string command, params object[] arguments)
    {
        try
        {
            return await server.ExecuteAsync(command, arguments);
        }
        catch (RedisServerException)
        {
            // The command is not permitted, or a managed service has renamed or removed it.
            return null;
        }
    }

    /// <summary>Returns the value of a line "name:value", or null.</summary>
    private static string? Field(string info, string name)
    {
        foreach (var line in info.AsSpan().EnumerateLines())
        {
            if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.Ordinal))
            {
                return line[(name.Length + 1)..].ToString();
            }
        }

        return null;
    }
}
