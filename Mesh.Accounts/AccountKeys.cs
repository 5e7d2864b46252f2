using Mesh.Protocol;
using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>All Redis keys of the ledger. The user is the hash tag: an account and its marks share a cluster slot.</summary>
internal static class AccountKeys
{
    public static RedisKey Balance(string user) => $"mesh:account:{{{Tag(user)}}}";

    /// <summary>What became of one task on this account.</summary>
    public static RedisKey Mark(string user, TaskId task) => $"mesh:account:{{{Tag(user)}}}:task:{task.Value}";

    // A brace in a name would end the hash tag early, and make the account "a}:task:1" and a mark of the account "a" one key.
    private static string Tag(string user) => user.AsSpan().ContainsAny('%', '}')
        ? user.Replace("%", "%25", StringComparison.Ordinal).Replace("}", "%7D", StringComparison.Ordinal)
        : user;
}
