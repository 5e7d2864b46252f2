using System.Globalization;

namespace MeshAspire.Embedded.Redis;

/// <summary>Where a Redis is to be asked how it is.</summary>
internal sealed record RedisAddress(string Host, int Port, string? User, string? Password, bool Tls)
{
    /// <summary>Reads what the probe needs of a connection string of StackExchange.Redis: <c>host:port,password=…,ssl=true</c>.</summary>
    public static RedisAddress Parse(string connectionString)
    {
        var parts = connectionString.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var endpoint = parts.FirstOrDefault(part => !part.Contains('=', StringComparison.Ordinal)) ?? "localhost";
        var tls = string.Equals(Option("ssl"), "true", StringComparison.OrdinalIgnoreCase);
        var colon = endpoint.LastIndexOf(':');
        var hasPort = int.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && colon > 0;
        return new(hasPort ? endpoint[..colon] : endpoint, hasPort ? port : tls ? 6380 : 6379, Option("user"), Option("password"), tls);

        string? Option(string name) => parts.FirstOrDefault(part => part.StartsWith(name + "=", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..];
    }
}
