using System.Diagnostics;
using Mesh.Bench.CommandLine;
using Mesh.Bench.Idle;
using MeshAspire.Client;
using Spectre.Console;

namespace Mesh.Bench.Load;

/// <summary>One load run: connects the workers, submits the tasks, waits for the last ACK and prints the report.</summary>
internal static class LoadRun
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    /// <param name="process">The process of the server, whose memory is measured; null when memory is not measured.</param>
    /// <returns>The exit code: 0 when every task was acknowledged.</returns>
    /// <exception cref="BenchException">The run failed, or exceeded a limit of the plan.</exception>
    public static async Task<int> RunAsync(LoadPlan plan, ServerProcess? process, bool json, CancellationToken cancellationToken)
    {
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var report = await MeasureAsync(plan, process, json || Console.IsErrorRedirected ? null : terminal, cancellationToken, failed => Report(failed, json));
        Report(report, json);
        return report.FindExcess(plan.Limits) is { } excess ? throw new BenchException(excess) : 0;
    }

    /// <param name="terminal">Shows the progress; null when it is not shown.</param>
    /// <param name="onFailure">Receives the report until the failure of a run that fails.</param>
    /// <exception cref="BenchException">The run failed.</exception>
    public static async Task<LoadReport> MeasureAsync(
        LoadPlan plan, ServerProcess? process, IAnsiConsole? terminal, CancellationToken cancellationToken, Action<LoadReport>? onFailure = null)
    {
        var times = new TaskTimes(plan.Tasks, plan.UserPrefix);
        await using var workers = plan.Kind == WorkerKind.Package ? (ILoadWorkers)new PackageWorkers(plan, times) : new LoopWorkers(plan, times);
        var memory = new MemoryGrowth(plan, times, process);
        var (clock, began) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        try
        {
            await workers.ConnectAsync(cancellationToken);
            clock.Restart();
            began = Environment.CpuUsage.TotalTime;
            await MeasureAsync(plan, times, memory, workers, terminal, cancellationToken);
            return LoadReport.Of(plan, times, clock.Elapsed, Environment.CpuUsage.TotalTime - began, memory.Bytes);
        }
        catch (Exception exception)
        {
            onFailure?.Invoke(LoadReport.Of(plan, times, clock.Elapsed, Environment.CpuUsage.TotalTime - began, growth: null));
            if (MeasuredServer.IsConnectionError(exception))
            {
                throw plan.Server.ToBenchException(exception);
            }

            throw;
        }
    }

    /// <summary>Prints the report. For a failed run, it covers the tasks until the failure.</summary>
    private static void Report(LoadReport report, bool json)
    {
        if (json)
        {
            Console.WriteLine(report.ToJson());
        }
        else if (report.Acknowledged > 0)
        {
            report.Print(AnsiConsole.Console);
        }
    }

    private static async Task MeasureAsync(
        LoadPlan plan, TaskTimes times, MemoryGrowth memory, ILoadWorkers workers, IAnsiConsole? terminal, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // A POST that hangs is cancelled after the stall timeout of the plan.
        using var http = plan.Server.CreateClient(Timeout.InfiniteTimeSpan);
        var client = new MeshClient(http, CreateSettings(plan));
        var working = workers.RunAsync(ending.Token);
        var submitting = new Submitter(plan, client, times).RunAsync(ending.Token);
        var watching = terminal is null ? WatchAsync(plan, times, memory, null, ending.Token) : ShowAsync(plan, times, memory, terminal, ending.Token);
        try
        {
            // A part that ends before the last ACK has failed. Submitters that have posted all tasks are the exception.
            await await Task.WhenAny([times.All, watching, working, AllAfterAsync(submitting, times)]);
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll([working, submitting, watching]).ContinueWith(
                static all => _ = all.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>A refused request is not repeated by the client, so that each refusal is measured.</summary>
    private static MeshClientSettings CreateSettings(LoadPlan plan) => new()
    {
        Endpoints = { plan.Server.Url.ToString() },
        Token = plan.Server.Token,
        MaxTasksPerRequest = Math.Min(plan.Batch, 40_000),
        RetryLimit = 0,
        RequestTimeout = plan.StallTimeout,
        OperationTimeout = plan.StallTimeout,
    };

    private static async Task AllAfterAsync(Task submitting, TaskTimes times)
    {
        await submitting;
        await times.All;
    }

    private static Task ShowAsync(LoadPlan plan, TaskTimes times, MemoryGrowth memory, IAnsiConsole terminal, CancellationToken cancellationToken) =>
        terminal.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(context => WatchAsync(plan, times, memory, context, cancellationToken));

    private static async Task WatchAsync(LoadPlan plan, TaskTimes times, MemoryGrowth memory, ProgressContext? context, CancellationToken cancellationToken)
    {
        var accepted = context?.AddTask("accepted", maxValue: plan.Tasks);
        var acknowledged = context?.AddTask("acknowledged", maxValue: plan.Tasks);
        var (last, since) = (0, Stopwatch.GetTimestamp());
        using var timer = new PeriodicTimer(ProgressInterval, TimeProvider.System);
        try
        {
            while (times.Acknowledged < plan.Tasks && await timer.WaitForNextTickAsync(cancellationToken))
            {
                memory.Sample();
                accepted?.Value = times.Accepted;
                acknowledged?.Value = times.Acknowledged;
                var progress = times.Accepted + times.Received + times.Acknowledged;
                (last, since) = progress == last ? (last, since) : (progress, Stopwatch.GetTimestamp());
                if (Stopwatch.GetElapsedTime(since) > plan.StallTimeout)
                {
                    throw new BenchException(
                        $"No progress for {plan.StallTimeout.TotalSeconds} s: of {plan.Tasks} tasks {times.Accepted} were accepted, {times.Received} were received by a worker, {times.Acknowledged} were acknowledged.");
                }
            }
        }
        catch (OperationCanceledException) when (times.Acknowledged >= plan.Tasks)
        {
            // The last ACK arrived between two ticks of the timer.
        }
    }
}

/// <summary>Measures by how much the server's memory grows after the first third of the tasks, when its buffers have the size that the load needs.</summary>
internal sealed class MemoryGrowth(LoadPlan plan, TaskTimes times, ServerProcess? process)
{
    private long? _first;
    private long? _last;

    /// <summary>The growth in bytes; null when memory was not measured.</summary>
    public long? Bytes => _last - _first;

    public void Sample()
    {
        if (process is not null && times.Accepted >= plan.Tasks / 3)
        {
            _last = process.Memory;
            _first ??= _last;
        }
    }
}
