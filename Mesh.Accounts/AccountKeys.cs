using Mesh.Protocol;
using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>All Redis keys of the ledger. The user is the hash tag: an account and its marks share a cluster slot.</summary>
internal static class AccountKeys
{
    public static RedisKey Balance(string user) => $"mesh:account:{HashTag.Of(user)}";

    /// <summary>Updates of the account that a crash of the store may have cut off, see <see cref="LedgerScripts"/>.</summary>
    public static RedisKey Journal(string user) => $"mesh:account:{HashTag.Of(user)}:journal";

    /// <summary>What became of one task on this account.</summary>
    public static RedisKey Mark(string user, TaskId task) => $"mesh:account:{HashTag.Of(user)}:task:{task.Value}";
}
