using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>Distinguishes an unavailable store from programming errors and unreadable data.</summary>
public static class RedisErrorClassifier
{
    private const string WrappedInScript = "ERR Error running script";

    /// <summary>
    /// Returns true when the store was out of reach, refused the call or did not answer in time, so that the call can be repeated. Returns false for faults that repeating does not
    /// remove, such as data of another type.
    /// </summary>
    public static bool IsStoreUnavailable(Exception exception) => Reason(exception) is not null;

    /// <summary>Returns the reason why the store is unavailable, for operators. Returns null when the exception has another cause.</summary>
    public static string? Reason(Exception exception) => exception switch
    {
        // The messages of the client have many lines.
        RedisConnectionException lost => $"Redis: no connection ({lost.FailureType}).",
        RedisTimeoutException => "Redis: no answer in time.",
        RedisServerException refused => Refusal(refused.Message),

        // The client sends no write to a server that became a replica after the client had chosen it.
        RedisCommandException unsendable => $"Redis: {unsendable.Message}",
        ObjectDisposedException => "Redis: the connection is closed.",

        // When a connection fails, the client also ends its calls with the exceptions of its pipe, and cancels them. A cancellation by the caller has the caller's token.
        InvalidOperationException { Source: "System.IO.Pipelines" } => $"Redis: the connection has failed ({exception.Message}).",
        OperationCanceledException { CancellationToken.CanBeCanceled: false } => "Redis: the client has cancelled the call.",
        _ => null,
    };

    /// <summary>Returns true when the store refuses only writes that need memory. Other writes may succeed.</summary>
    public static bool IsFull(Exception exception) => exception is RedisServerException refused && Code(refused.Message) is "OOM";

    // The first word of a server's error is its code. The client passes the code on in no other form.
    private static string? Refusal(string error) => Code(error) switch
    {
        "OOM" => "Redis is full: it has reached maxmemory and evicts nothing (OOM).",
        "READONLY" => "Redis is read-only: it is a replica (READONLY).",
        "NOREPLICAS" => "Redis accepts no writes: it has too few replicas (NOREPLICAS).",
        "MISCONF" => "Redis accepts no writes: it cannot save to disk (MISCONF).",
        "LOADING" => "Redis is starting: it loads its data (LOADING).",
        "NOPERM" => "Redis refuses the command: the user lacks permission for a command or a key (ACL, NOPERM).",
        "WRONGTYPE" => null,
        "ERR" when IsScriptFault(error) => null,
        _ => $"Redis: {error}",
    };

    /// <summary>Returns true for errors that the mesh's own scripts return or cause. All other errors come from the store.</summary>
    private static bool IsScriptFault(string error) =>
        error.Contains(LedgerScripts.InvalidBalanceError, StringComparison.Ordinal)
        || error.Contains("attempt to ", StringComparison.Ordinal)
        || error.Contains("Error compiling script", StringComparison.Ordinal);

    private static string Code(string error)
    {
        // Redis before 7 wraps the error of a command in a script: "ERR Error running script (call to f_…): @user_script:7: @user_script: 7: -OOM command not allowed …".
        if (error.StartsWith(WrappedInScript, StringComparison.Ordinal) && error.LastIndexOf(": -", StringComparison.Ordinal) is > 0 and var wrapped)
        {
            error = error[(wrapped + 3)..];
        }

        return error.IndexOf(' ', StringComparison.Ordinal) is >= 0 and var end ? error[..end] : error;
    }
}
