using System.Globalization;

namespace Mesh.Bench.Chaos;

/// <summary>The parameters of one chaos run.</summary>
/// <param name="Duration">The time during which faults are injected under load.</param>
/// <param name="Seed">The seed of the faults and the tasks. The timing of the processes is not reproduced.</param>
/// <param name="Servers">The number of servers. Each one is a peer of all others.</param>
/// <param name="Workers">The number of workers of each server. Every second one uses lines.</param>
/// <param name="LineWorkers">The number of Python workers of each server. They stand for workers of other implementations.</param>
/// <param name="FaultInterval">The mean time between two faults.</param>
/// <param name="Rate">The number of tasks that are submitted per second, in waves, most of them to the first server.</param>
/// <param name="IdleTimeout">The time after the last fault within which all tasks must be settled and all workers at home.</param>
/// <param name="Directory">An existing directory for the logs of all processes and the data of Redis.</param>
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

    /// <summary>Returns the ids of all workers whose home is this server.</summary>
    public IEnumerable<string> WorkersOf(int server) =>
        [.. Enumerable.Range(0, Workers).Select(worker => WorkerId(server, worker)), .. Enumerable.Range(0, LineWorkers).Select(worker => LineWorkerId(server, worker))];
}
