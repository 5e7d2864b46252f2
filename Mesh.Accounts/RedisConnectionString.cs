using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>Reads the connection string of Redis: host:port, further hosts and options, in the format of StackExchange.Redis.</summary>
public static class RedisConnectionString
{
    /// <summary>How often the roles of the Redis servers are read, in seconds, when the connection string does not set it. A fail-over is noticed within this time.</summary>
    private const int FailoverConfigCheckSeconds = 2;

    /// <summary>The client's own default for configCheckSeconds.</summary>
    private const int DefaultConfigCheckSeconds = 60;

    /// <summary>Makes a client that is connected to several Redis servers notice a new primary within seconds.</summary>
    public static void EnableFailoverDetection(this ConfigurationOptions options)
    {
        if (options.ConfigCheckSeconds == DefaultConfigCheckSeconds && (options.EndPoints.Count > 1 || !string.IsNullOrEmpty(options.ServiceName)))
        {
            options.ConfigCheckSeconds = FailoverConfigCheckSeconds;
        }
    }

    /// <summary>
    /// Returns the fault of a connection string, as words that follow its name. Returns null when it is valid. The connection string contains a password, so no part of it is repeated.
    /// </summary>
    public static string? Check(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "is missing: it must be the address of Redis, such as 127.0.0.1:6379";
        }

        try
        {
            return ConfigurationOptions.Parse(text).EndPoints.Count == 0 ? "names no host: it must begin with host:port, such as 127.0.0.1:6379" : null;
        }
        catch (ArgumentException)
        {
            return "cannot be read: it must be host:port and options, such as 127.0.0.1:6379";
        }
    }
}
