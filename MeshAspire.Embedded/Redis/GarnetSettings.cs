using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace MeshAspire.Embedded.Redis;

/// <summary>How Garnet is set up for development, the same on both engines: the AppHost compiles this file where it runs on Aspire.</summary>
internal static class GarnetSettings
{
    /// <summary>Its default, the server's collector, takes a heap per core.</summary>
    public static KeyValuePair<string, string> Variable { get; } = new("DOTNET_gcServer", "0");

    /// <summary>For <c>--config-import-path</c>, without the port. It holds the password: a file for this user alone, since arguments are for every user to see.</summary>
    /// <param name="data">The directory of the log and the checkpoints.</param>
    public static string Json(string data, string password) => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["Address"] = HasIPv6Loopback() ? "127.0.0.1,::1" : "127.0.0.1",
        ["AuthenticationMode"] = "Password",
        ["Password"] = password,
        ["CheckpointDir"] = data,
        ["EnableAOF"] = true,
        ["Recover"] = true,
        ["AofSizeLimit"] = "256m",
        // Without it, what was acknowledged in the last moments is lost with the process.
        ["WaitForCommit"] = true,
        ["EnableLua"] = true,
        // Without it, scripts of different connections run at once and overwrite each other's updates.
        ["LuaTransactionMode"] = true,
        // Each connection whose write waits for the log holds a thread. The pool begins with one for each core and gains one or two a second: on two cores a dozen
        // connections would stand still for seconds.
        ["ThreadPoolMinThreads"] = 256,
        // The native device wants libaio.
        ["DeviceType"] = "RandomAccess",
        // Limits, taken as needed; the defaults are for servers of many gigabytes.
        ["LogMemorySize"] = "1g",
        ["PageSize"] = "4m",
        ["IndexMemorySize"] = "16m",
        ["QuietMode"] = true,
    });

    // In a container there often is none, although the system knows IPv6; Garnet ends when it can't listen on an address that it was told.
    private static bool HasIPv6Loopback()
    {
        try
        {
            using var listener = new TcpListener(IPAddress.IPv6Loopback, 0);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
