using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>Tells a store that is away from a bug, and why it is away.</summary>
public static class LedgerFaults
{
    /// <summary>True when the call failed because the store was out of reach, refused all work of the kind or did not answer in time: worth another try.</summary>
    public static bool IsStoreAway(Exception exception) => Reason(exception) is not null;

    /// <summary>Why the store is away, in words for an operator; null when the exception says no such thing.</summary>
    public static string? Reason(Exception exception) => exception switch
    {
        // The client's own messages run over many lines.
        RedisConnectionException lost => $"Redis: no connection ({lost.FailureType}).",
        RedisTimeoutException => "Redis: no answer in time.",
        RedisServerException refused => Refusal(refused.Message),
        ObjectDisposedException => "Redis: the connection is closed.",
        _ => null,
    };

    /// <summary>True when the store refuses only what takes memory: another kind of write may succeed.</summary>
    public static bool IsFull(Exception exception) => exception is RedisServerException refused && Code(refused.Message) is "OOM";

    // The first word of a server's error is its code, the only form in which the client hands it over.
    private static string? Refusal(string error) => Code(error) switch
    {
        "OOM" => "Redis is full: it has reached maxmemory and evicts nothing (OOM).",
        "READONLY" => "Redis is read-only: it is a replica (READONLY).",
        "NOREPLICAS" => "Redis takes no writes: it has too few replicas (NOREPLICAS).",
        "MISCONF" => "Redis takes no writes: it cannot save to disk (MISCONF).",
        "LOADING" => "Redis is starting: it loads its data (LOADING).",
        "BUSY" or "MASTERDOWN" or "CLUSTERDOWN" or "TRYAGAIN" => $"Redis: {error}",
        _ => null,
    };

    private static string Code(string error) => error[..Math.Max(0, error.IndexOf(' ', StringComparison.Ordinal))];
}
