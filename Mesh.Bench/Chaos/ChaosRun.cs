using System.Globalization;
using Mesh.Bench.CommandLine;

namespace Mesh.Bench.Chaos;

/// <summary>One chaos run: starts a mesh of processes, injects faults under load, waits until the mesh is idle and verifies the results.</summary>
internal sealed class ChaosRun(ChaosPlan plan, bool quiet, TimeProvider time)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(30);

    private readonly long _began = time.GetTimestamp();

    /// <returns>The exit code: 0 when all checks have passed.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        WriteProgress($"Seed {plan.Seed}. {plan.Servers} servers, each with {plan.Workers} workers and {plan.LineWorkers} Python line workers. Logs: {plan.Directory}");
        try
        {
            await using var mesh = new ChaosMesh(plan, time);
            await RunMeshAsync(mesh, cancellationToken);
            return 0;
        }
        catch (BenchException exception)
        {
            Console.WriteLine($"FAILED: {exception.Message}");
            Console.WriteLine($"The faults are those of --seed {plan.Seed}. The logs of all processes are in {plan.Directory}.");
            return 1;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Console.WriteLine($"Stopped. The logs of all processes are in {plan.Directory}.");
            return 1;
        }
    }

    private async Task RunMeshAsync(ChaosMesh mesh, CancellationToken cancellationToken)
    {
        var (faults, load, account) = (new ChaosFaultInjector(mesh, plan, WriteProgress, time), new ChaosLoad(mesh, plan, time), new ChaosVerifier(mesh, plan, time));
        var loans = new LoanCounter(mesh, time);
        mesh.Start();
        await account.WaitUntilIdleAsync(cancellationToken);
        await load.PrepareAsync(cancellationToken);
        WriteProgress("All are up. Starting load and faults.");

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var whole = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var submitting = load.RunAsync(enough.Token, whole.Token);
        var watching = Task.WhenAll(loans.RunAsync(enough.Token), ProgressAsync(load, loans, enough.Token));
        var harming = faults.RunAsync(whole.Token);
        try
        {
            if (await Task.WhenAny(harming, submitting) == submitting)
            {
                // The load ends before the faults only when it fails.
                await submitting;
            }

            await harming;
            await enough.CancelAsync();
            await submitting.WaitAsync(plan.IdleTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new BenchException($"Not idle: a submission is still refused {plan.IdleTimeout.TotalSeconds:0} s after the last fault.");
        }
        finally
        {
            await whole.CancelAsync();
            await enough.CancelAsync();
            await Task.WhenAll(submitting, harming, watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var mended = time.GetTimestamp();
        WriteProgress("All faults have ended. Waiting until the mesh is idle.");
        await account.WaitUntilIdleAsync(cancellationToken);
        var toRest = time.GetElapsedTime(mended);
        WriteProgress($"Idle after {toRest.TotalSeconds:0.0} s. Verifying {load.Accepted.Count:N0} tasks.");
        var broken = await account.VerifyAsync(load.Accepted, cancellationToken);
        Report(mesh, faults, load, account, loans, toRest);
        if (broken.Count > 0)
        {
            throw new BenchException(string.Join(Environment.NewLine, broken.Take(20)) + (broken.Count > 20 ? $"{Environment.NewLine}and {broken.Count - 20} more" : ""));
        }

        Console.WriteLine("No task was lost or applied twice: accepted = done + dead, all balances are exact, all workers are at home, no loan is open.");
    }

    private async Task ProgressAsync(ChaosLoad load, LoanCounter loans, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(ProgressInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                WriteProgress($"{load.Accepted.Count:N0} tasks accepted, {load.Repeated:N0} submissions repeated, {loans.Count:N0} loans seen");
            }
        }
        catch (OperationCanceledException)
        {
            // The load has ended.
        }
    }

    private void Report(ChaosMesh mesh, ChaosFaultInjector faults, ChaosLoad load, ChaosVerifier account, LoanCounter loans, TimeSpan toRest)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed          {plan.Seed}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"chaos         {plan.Duration.TotalMinutes:0.##} min, idle {toRest.TotalSeconds:0.0} s after the last fault"));
        Console.WriteLine($"faults        {faults.Counts.Values.Sum():N0}: {string.Join(", ", faults.Counts.Select(fault => $"{fault.Key} {fault.Value}"))}");
        Console.WriteLine($"tasks         {load.Accepted.Count:N0} accepted = {account.Done:N0} done + {account.Dead:N0} dead; {load.Repeated:N0} submissions repeated");
        Console.WriteLine($"loans seen    {loans.Count:N0}");
        Console.WriteLine($"crashes       {Counted(mesh, process => process.UnexpectedExits)}");
        Console.WriteLine($"slow stops    {Counted(mesh, process => process.ForcedKills)}");
    }

    private static string Counted(ChaosMesh mesh, Func<ChaosProcess, int> count) =>
        string.Join(", ", mesh.All.Where(process => count(process) > 0).Select(process => $"{process.Name} {count(process)}")) is { Length: > 0 } text ? text : "none";

    private void WriteProgress(string text)
    {
        if (!quiet)
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetElapsedTime(_began).TotalSeconds,7:0.0} s  {text}"));
        }
    }
}
