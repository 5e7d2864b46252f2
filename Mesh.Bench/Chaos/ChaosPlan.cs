using System.Globalization;

namespace Mesh.Bench.Chaos;

/// <summary>What one run of chaos is to be.</summary>
/// <param name="Duration">How long faults happen under load.</param>
/// <param name="Seed">Draws the faults and the tasks. Processes and their timing are real, so a run is not repeated exactly.</param>
/// <param name="Servers">Servers, each the peer of all others.</param>
/// <param name="Workers">Our workers of each server; every second one speaks lines.</param>
/// <param name="LineWorkers">Python workers of each server, as others write them.</param>
/// <param name="FaultInterval">Mean time between two faults.</param>
/// <param name="Rate">Tasks submitted a second, most of them to the first server, in waves.</param>
/// <param name="IdleTimeout">Within this time after the last fault all must be settled and at home.</param>
/// <param name="Directory">Logs of all processes and the data of Redis. It exists.</param>
internal sealed record ChaosPlan(
    TimeSpan Duration, int Seed, int Servers, int Workers, int LineWorkers, TimeSpan FaultInterval, int Rate, TimeSpan IdleTimeout, string Directory,
    ChaosPrograms Programs)
{
    public const int Accounts = 12;

    public const decimal InitialBalance = 1_000m;

    public string Token { get; } = Guid.NewGuid().ToString("N");

    public static string ServerId(int server) => string.Create(CultureInfo.InvariantCulture, $"server-{server}");

    public static string WorkerId(int server, int worker) => string.Create(CultureInfo.InvariantCulture, $"worker-{server}-{worker}");

    public static string LineWorkerId(int server, int worker) => string.Create(CultureInfo.InvariantCulture, $"line-{server}-{worker}");

    public static string Account(int number) => string.Create(CultureInfo.InvariantCulture, $"account-{number}");

    /// <summary>The ids of all workers whose home this server is.</summary>
    public IEnumerable<string> WorkersOf(int server) =>
        [.. Enumerable.Range(0, Workers).Select(worker => WorkerId(server, worker)), .. Enumerable.Range(0, LineWorkers).Select(worker => LineWorkerId(server, worker))];
}
