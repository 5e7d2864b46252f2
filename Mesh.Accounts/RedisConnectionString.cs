using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>Where Redis is: host:port, further hosts and options, as StackExchange.Redis reads them.</summary>
public static class RedisConnectionString
{
    /// <summary>How often the roles of the Redis servers are read, in seconds, where the connection string does not say: a fail-over is noticed within it.</summary>
    private const int FailoverConfigCheckSeconds = 2;

    /// <summary>The client's own default for configCheckSeconds.</summary>
    private const int DefaultConfigCheckSeconds = 60;

    /// <summary>Makes a client of several Redis servers notice within seconds that another one has become the primary.</summary>
    public static void EnableFailoverDetection(this ConfigurationOptions options)
    {
        if (options.ConfigCheckSeconds == DefaultConfigCheckSeconds && (options.EndPoints.Count > 1 || !string.IsNullOrEmpty(options.ServiceName)))
        {
            options.ConfigCheckSeconds = FailoverConfigCheckSeconds;
        }
    }

    /// <summary>What is wrong with it, in words that follow its name; null when it can be used. It holds a password, so none of it is repeated.</summary>
    public static string? Check(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "is missing: where Redis is, such as 127.0.0.1:6379";
        }

        try
        {
            return ConfigurationOptions.Parse(text).EndPoints.Count == 0 ? "names no host: it begins with host:port, such as 127.0.0.1:6379" : null;
        }
        catch (ArgumentException)
        {
            return "cannot be read: it is host:port and options, such as 127.0.0.1:6379";
        }
    }
}
