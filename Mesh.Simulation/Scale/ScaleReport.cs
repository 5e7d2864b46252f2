using System.Globalization;

namespace Mesh.Simulation.Scale;

/// <summary>The messages of one minute, sent by a server or received by it.</summary>
/// <param name="WithPeers">The average of all servers, in messages with other servers.</param>
/// <param name="WithWorkers">The same with workers.</param>
/// <param name="MostWithPeers">The messages with other servers of the server that has most of them.</param>
public sealed record MessageRate(double WithPeers, double WithWorkers, long MostWithPeers);

/// <summary>The result of a <see cref="ScaleRun"/>. All times are virtual.</summary>
/// <param name="AveragePeers">The average number of peers of a server.</param>
/// <param name="TimeToBalance">The time from the submission of the tasks until the queue is at or below the high mark. Null when that has not happened.</param>
/// <param name="TimeAlone">The time that the server would need with its own workers.</param>
/// <param name="TimeToRest">The time from the submission until all tasks are done and all workers are home. Null when that has not happened.</param>
/// <param name="Quiet">The messages of a minute without tasks.</param>
/// <param name="Hot">The messages of the minute that begins with the submission.</param>
/// <param name="Loans">The number of loans.</param>
/// <param name="MostLoans">The largest number of borrowed workers at the same time.</param>
/// <param name="Owners">The number of servers that lent a worker.</param>
/// <param name="Shares">The share of each peer of the hot server in the time of borrowed workers, in ascending order.</param>
/// <param name="Steps">The number of simulated events.</param>
public sealed record ScaleReport(
    ScaleOptions Options,
    long Seed,
    double AveragePeers,
    TimeSpan? TimeToBalance,
    TimeSpan TimeAlone,
    TimeSpan? TimeToRest,
    MessageRate Quiet,
    MessageRate Hot,
    int Loans,
    int MostLoans,
    int Owners,
    IReadOnlyList<double> Shares,
    long Steps)
{
    /// <summary>Jain's index of the shares: 1 when all owners lend the same, 1/n when one of n owners lends everything.</summary>
    public double Fairness => Shares.Sum() is > 0 and var sum ? sum * sum / (Shares.Count * Shares.Sum(share => share * share)) : 1;

    public override string ToString() => string.Join(Environment.NewLine, [
        Invariant($"{Options.Servers:N0} servers with {Options.Workers:N0} workers each, {AveragePeers:0.0} peers for each server, seed {Seed}, {Steps:N0} steps"),
        Row("hot spot", $"{Options.Tasks:N0} tasks of about 1 s at one server"),
        Row("time to balance", $"{Seconds(TimeToBalance)}; with its own workers {Seconds(TimeAlone)}"),
        Row("all tasks done, all workers home", $"{Seconds(TimeToRest)}"),
        Row("loans", $"{Loans:N0} from {Owners:N0} owners, {MostLoans:N0} at the same time"),
        Row("share of each owner", $"{Shares[0]:0.0%} to {Shares[^1]:0.0%} of the time of borrowed workers, fairness {Fairness:0.000}"),
        Row("messages in a quiet minute", Text(Quiet)),
        Row("messages in the hot minute", Text(Hot)),
    ]);

    private static string Text(MessageRate rate) =>
        Invariant($"{rate.WithPeers:0.0} with peers and {rate.WithWorkers:0.0} with workers for each server; {rate.MostWithPeers:N0} with peers at most");

    private static string Row(string name, FormattableString value) => Row(name, value.ToString(CultureInfo.InvariantCulture));

    private static string Row(string name, string value) => $"{name,-34}{value}";

    private static string Seconds(TimeSpan? time) => time is { } known ? Invariant($"{known.TotalSeconds:0.0} s") : "not reached";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
