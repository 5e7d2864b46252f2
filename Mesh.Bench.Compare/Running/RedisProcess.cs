using System.Diagnostics;
using System.Globalization;
using Mesh.Bench.Chaos;
using StackExchange.Redis;

namespace Mesh.Bench.Compare.Running;

/// <summary>An empty Redis with an append-only file.</summary>
internal static class RedisProcess
{
    public const string Missing = "it needs redis-server or valkey-server on the PATH (Debian: apt-get install redis-server).";

    public static string? FindProgram() => ExecutableFinder.Find("redis-server", "valkey-server");

    /// <param name="directory">The directory of the append-only file.</param>
    public static async Task<OwnedProcess> StartAsync(int port, Fsync fsync, string directory, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(FindProgram()!,
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", directory,
            "--save", "", "--appendonly", "yes", "--appendfsync", fsync == Fsync.Always ? "always" : "everysec",
        ]);
        var redis = OwnedProcess.Start("redis-server", start).DropOutput();
        try
        {
            await redis.WaitUntilReadyAsync(cancellation => AnswersAsync(port).WaitAsync(cancellation), cancellationToken);
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port},connectRetry=0,connectTimeout=1000"));
            await connection.GetDatabase().PingAsync();
            return true;
        }
        catch (RedisException)
        {
            return false;
        }
    }
}
