using Mesh.Bench.Chaos;

namespace Mesh.Tests.Integration.AppHost;

/// <summary>
/// Gives each AppHost of the tests its own range of ports, apart from those of <see cref="PortAllocator"/>. Aspire chooses a free port long before the process that uses it listens,
/// so two AppHosts that start at the same time, or a test, could take the same port.
/// </summary>
internal static class AppHostPorts
{
    /// <summary>The configuration key that Aspire reads, also as an environment variable.</summary>
    public const string Key = "ASPIRE_PROXYLESS_ENDPOINT_PORT_RANGE";

    private const int First = 20_000;
    private const int Size = 64;

    /// <summary>The ranges end below the ephemeral ports.</summary>
    private const int Ranges = (32_768 - First) / Size;

    private static int _last = Random.Shared.Next(Ranges);

    /// <summary>Returns the next range, as the value of <see cref="Key"/>. Thread-safe.</summary>
    public static string Next()
    {
        var first = First + (int)((uint)Interlocked.Increment(ref _last) % Ranges * Size);
        return $"{first}-{first + Size - 1}";
    }
}
