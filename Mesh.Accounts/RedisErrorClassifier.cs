using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>Distinguishes a store that is unavailable from programming errors and unreadable data.</summary>
public static class RedisErrorClassifier
{
    private const string WrappedInScript = "ERR Error running script";

    /// <summary>True when the store was out of reach, refused the call or did not answer in time: worth another try. False for what repeating cannot mend, such as data of another type.</summary>
    public static bool IsStoreUnavailable(Exception exception) => Reason(exception) is not null;

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
        "NOPERM" => "Redis does not permit it: the user's rights (ACL) lack a command or a key (NOPERM).",
        "WRONGTYPE" => null,
        "ERR" when IsScriptFault(error) => null,
        _ => $"Redis: {error}",
    };

    /// <summary>True for what the mesh's own scripts report or do wrong; any other refusal is the store's.</summary>
    private static bool IsScriptFault(string error) =>
        error.Contains(LedgerScripts.InvalidBalanceError, StringComparison.Ordinal)
        || error.Contains("attempt to ", StringComparison.Ordinal)
        || error.Contains("Error compiling script", StringComparison.Ordinal);

    private static string Code(string error)
    {
        // Redis before 7 wraps what a command in a script answers: "ERR Error running script (call to f_…): @user_script:7: @user_script: 7: -OOM command not allowed …".
        if (error.StartsWith(WrappedInScript, StringComparison.Ordinal) && error.LastIndexOf(": -", StringComparison.Ordinal) is > 0 and var wrapped)
        {
            error = error[(wrapped + 3)..];
        }

        return error.IndexOf(' ', StringComparison.Ordinal) is >= 0 and var end ? error[..end] : error;
    }
}
