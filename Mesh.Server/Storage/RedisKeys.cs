using Mesh.Accounts;
using Mesh.Protocol;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>The Redis keys of one server. The braces are the hash tag, so that all keys of a server are in one cluster slot.</summary>
internal sealed class RedisKeys(ServerId server)
{
    private readonly string _prefix = $"mesh:{HashTag.Of(server.Value)}:";

    /// <summary>Hash: unsettled tasks, wire id → record.</summary>
    public RedisKey Tasks => _prefix + "tasks";

    /// <summary>Hash: ids that clients chose, of unsettled tasks → wire id.</summary>
    public RedisKey Ids => _prefix + "ids";

    /// <summary>Hash: dead letters, id → record.</summary>
    public RedisKey Dead => _prefix + "dead";

    /// <summary>Sorted set: the ids of dead letters, by their number in the order of acceptance.</summary>
    public RedisKey DeadIndex => _prefix + "dead-index";

    /// <summary>Hash: loans, worker → record.</summary>
    public RedisKey Loans => _prefix + "loans";

    /// <summary>Hash: schedules, name → record.</summary>
    public RedisKey Schedules => _prefix + "schedules";

    /// <summary>Counter: tasks done.</summary>
    public RedisKey Done => _prefix + "done";

    /// <summary>String, expiring: the process that serves under this id.</summary>
    public RedisKey ServerLease => _prefix + "claim";

    /// <summary>String: the fencing token "number instance take", which decides which process may write.</summary>
    public RedisKey FencingToken => _prefix + "epoch";

    /// <summary>String: the number of the last write. A writer compares it to find out whether the store was rolled back.</summary>
    public RedisKey LastWriteNumber => _prefix + "written";

    /// <summary>String, expiring: the owner waits until an adopter hands back the lease.</summary>
    public RedisKey HandbackRequested => _prefix + "wanted";

    /// <summary>String: a done task, until the retention of results has passed.</summary>
    public RedisKey Result(string id) => _prefix + "result:" + id;
}
