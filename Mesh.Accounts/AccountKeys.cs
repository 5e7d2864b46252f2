using Mesh.Protocol;
using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>The Redis keys of the ledger. The user is the hash tag, so that an account and its marks are in one cluster slot.</summary>
internal static class AccountKeys
{
    public static RedisKey Balance(string user) => $"mesh:account:{HashTag.Of(user)}";

    /// <summary>The updates of an account that a crash of the store may have interrupted, see <see cref="LedgerScripts"/>.</summary>
    public static RedisKey Journal(string user) => $"mesh:account:{HashTag.Of(user)}:journal";

    /// <summary>The outcome of one task on an account.</summary>
    public static RedisKey Mark(string user, TaskId task) => $"mesh:account:{HashTag.Of(user)}:task:{task.Value}";
}
