using System.Diagnostics;
using System.Globalization;
using Mesh.Bench.CommandLine;
using MeshAspire.Client;

namespace Mesh.Bench.Compare.Loans;

/// <summary>
/// Measures loans between two servers with their default settings. The borrower has no workers, the lender no tasks. A time is that from the submission of more tasks than the high mark
/// to the start of the first of them on a borrowed worker.
/// </summary>
internal static class LoansRun
{
    /// <summary>More than the high mark, and few enough to be done in milliseconds.</summary>
    private const int Tasks = 30;

    /// <summary>The first loans compile the code of both servers, and are not counted.</summary>
    private const int WarmUpRounds = 5;

    private static readonly TimeSpan LoanTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Longer than the pause before the same workers are requested again (docs/operations.md, "How many loans").</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <returns>The exit code.</returns>
    /// <exception cref="BenchException">Redis is missing, a process has ended, or a loan did not begin or end in time.</exception>
    public static async Task<int> RunAsync(int workers, int rounds, TextWriter output, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("mesh-loans-");
        try
        {
            await using var mesh = await LoansMesh.StartAsync(workers, directory.FullName, cancellationToken);
            using var progress = new ProgressLine();
            var times = new List<double>();
            for (var round = 1 - WarmUpRounds; round <= rounds; round++)
            {
                progress.Show(round > 0 ? $"Loan {round} of {rounds}" : "Warm-up");
                await mesh.WaitUntilHomeAsync(cancellationToken);
                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
                var time = await MeasureAsync(mesh, cancellationToken);
                if (round > 0)
                {
                    times.Add(time.TotalMilliseconds);
                }
            }

            progress.Show("");
            var slow = times.Order().ElementAt((int)Math.Ceiling(0.95 * times.Count) - 1);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{rounds} loans with {workers} workers: the first borrowed worker ran a task after {Spread.Of(times).Text("0.0")} ms, 95 % within {slow:0.0} ms."));
            return 0;
        }
        catch (Exception fault) when (fault is HttpRequestException or MeshException)
        {
            throw new BenchException($"A server does not answer any more: {fault.Message}", fault);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<TimeSpan> MeasureAsync(LoansMesh mesh, CancellationToken cancellationToken)
    {
        var first = mesh.ExpectTask();
        var submitted = Stopwatch.GetTimestamp();
        await mesh.Borrower.SubmitManyAsync(Enumerable.Repeat(MeshTaskRequest.Query("1"), Tasks), cancellationToken);
        try
        {
            return Stopwatch.GetElapsedTime(submitted, await first.WaitAsync(LoanTimeout, TimeProvider.System, cancellationToken));
        }
        catch (TimeoutException exception)
        {
            throw new BenchException($"No worker was borrowed within {LoanTimeout.TotalSeconds:0} s.", exception);
        }
    }
}
