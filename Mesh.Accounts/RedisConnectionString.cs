using StackExchange.Redis;

namespace Mesh.Accounts;

/// <summary>Where Redis is: host:port, further hosts and options, as StackExchange.Redis reads them.</summary>
public static class RedisConnectionString
{
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
