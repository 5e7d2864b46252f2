using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>Tells a store that is away from a bug.</summary>
public static class LedgerFaults
{
    // The first word of a server's error is its code, the only form in which the client hands it over.
    private const string Loading = "LOADING ";

    /// <summary>True when the call failed because the store was out of reach, starting or not answering in time: worth another try.</summary>
    public static bool IsStoreAway(Exception exception) => exception switch
    {
        RedisConnectionException or RedisTimeoutException => true,
        RedisServerException refused => refused.Message.StartsWith(Loading, StringComparison.Ordinal),
        _ => false,
    };
}
