using Mesh.Accounts;
using Mesh.Protocol;
using StackExchange.Redis;

namespace Mesh.Server.Storage;

/// <summary>Every key of one server. The braces are the hash tag: all of a server's keys share a cluster slot.</summary>
internal sealed class RedisKeys(ServerId server)
{
    private readonly string _prefix = $"mesh:{HashTag.Of(server.Value)}:";

    /// <summary>Hash: unsettled tasks, wire id → record.</summary>
    public RedisKey Tasks => _prefix + "tasks";

    /// <summary>Hash: ids that clients chose, of unsettled tasks → wire id.</summary>
    public RedisKey Ids => _prefix + "ids";

    /// <summary>Hash: dead letters, id → record.</summary>
    public RedisKey Dead => _prefix + "dead";

    /// <summary>Hash: loans, worker → record.</summary>
    public RedisKey Loans => _prefix + "loans";

    /// <summary>Counter: tasks done.</summary>
    public RedisKey Done => _prefix + "done";

    /// <summary>String, expiring: who serves under this id now.</summary>
    public RedisKey ServerLease => _prefix + "claim";

    /// <summary>String: who may write, "number instance take".</summary>
    public RedisKey FencingToken => _prefix + "epoch";

    /// <summary>String: the number of the last write, by which a writer finds that the store has lost what it had acknowledged.</summary>
    public RedisKey LastWriteNumber => _prefix + "written";

    /// <summary>String, expiring: the owner waits for an adopter to give up the claim.</summary>
    public RedisKey HandbackRequested => _prefix + "wanted";

    /// <summary>String: a task that is done, for as long as results are kept.</summary>
    public RedisKey Result(string id) => _prefix + "result:" + id;
}
