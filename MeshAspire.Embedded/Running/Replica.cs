using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Dashboard;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MeshAspire.Embedded.Running;

/// <summary>One replica of a resource: its process, started again when it ends, and its health.</summary>
internal sealed class Replica(
    IResource resource, string id, Launcher launcher, HealthProbe probe, Ports ports, GuardianClient guardian,
    ResourceNotificationService notifications, ResourceConsole console, TimeProvider time)
{
    /// <summary>What a process may take to end once asked.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan AskWhileStarting = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AskWhileRunning = TimeSpan.FromSeconds(2);

    /// <summary>How long a start may take before the console says what it waits for.</summary>
    private static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(10);

    /// <summary>A process that ended sooner most likely couldn't start: what it said last tells why.</summary>
    private static readonly TimeSpan TellingRun = TimeSpan.FromSeconds(10);

    // Unlike those of other runs, so that telemetry of a restarted AppHost isn't taken for the old one's.
    private readonly string _instance = $"{id}-{Guid.NewGuid().ToString("N")[..6]}";
    private readonly Backoff _backoff = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Wish _wish = new();
    private ChildProcess? _process;

    public IResource Resource => resource;

    public string Id => id;

    /// <summary>What runs elsewhere isn't ours to stop.</summary>
    public bool TakesCommands => resource is not RedisResource { External: not null };

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            Publish(KnownResourceStates.Waiting);
            foreach (var awaited in StartOrder.Awaited(resource))
            {
                await notifications.WaitForResourceHealthyAsync(awaited.Name, stopping);
            }

            while (!stopping.IsCancellationRequested)
            {
                await LiveAsync(stopping);
                await RestAsync(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopped between two lives.
        }
        finally
        {
            Publish(KnownResourceStates.Exited);
            _ended.TrySetResult();
        }
    }

    /// <summary>What a person asks for by the dashboard. A process that has to end is given the time it takes.</summary>
    public void Obey(FeedAction action)
    {
        _wish.Ask(action);
        if (action is not FeedAction.Start && _process is { } process)
        {
            console.Say(id, action is FeedAction.Stop ? "asked to stop" : "asked to restart");
            Publish(KnownResourceStates.Stopping);
            process.Terminate();
        }
    }

    /// <summary>Obeys, and waits for the end of a process that has to end; ends it when it takes too long.</summary>
    public async Task ExecuteAsync(FeedAction action, CancellationToken cancellationToken)
    {
        var process = _process;
        Obey(action);
        if (action is FeedAction.Start || process is null)
        {
            return;
        }

        var ended = notifications.WaitForResourceAsync(resource.Name, news => news.ResourceId == id && news.Snapshot.ProcessId != process.Id, cancellationToken);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (await Task.WhenAny(ended, Task.Delay(Grace, time, over.Token)) != ended && !cancellationToken.IsCancellationRequested)
        {
            console.Say(id, $"still runs after {Grace.TotalSeconds} s: ended");
            process.Kill();
        }

        await over.CancelAsync();
        await ended;
    }

    /// <summary>Asks the process to end, and ends it when it takes too long or all are in a hurry.</summary>
    public async Task StopAsync(CancellationToken hurry)
    {
        if (_process is { } process && !_ended.Task.IsCompleted)
        {
            Publish(KnownResourceStates.Stopping);
            process.Terminate();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(hurry);
            var late = Task.Delay(Grace, time, limit.Token);
            if (await Task.WhenAny(_ended.Task, late) == late)
            {
                console.Say(id, hurry.IsCancellationRequested ? "ended at once" : $"still runs after {Grace.TotalSeconds} s: ended");
                process.Kill();
            }

            await limit.CancelAsync();
        }

        await _ended.Task;
    }

    private async Task LiveAsync(CancellationToken stopping)
    {
        Publish(KnownResourceStates.Starting);
        var began = time.GetTimestamp();
        string fault;
        try
        {
            var spec = await launcher.SpecAsync(resource, _instance, stopping);
            stopping.ThrowIfCancellationRequested();
            ports.Release(resource);
            if (spec is null)
            {
                await WatchHealthAsync(stopping);
                return;
            }

            fault = await RunProcessAsync(spec, stopping);
        }
        catch (Exception exception) when (exception is DistributedApplicationException or IOException or UnauthorizedAccessException or JsonException)
        {
            Publish(KnownResourceStates.FailedToStart);
            fault = exception.Message;
        }

        var changed = _wish.Changed;
        if (stopping.IsCancellationRequested || _wish.Rests || _wish.TakeRestart())
        {
            return;
        }

        var ran = time.GetElapsedTime(began);
        var delay = _backoff.Next(ran);
        console.Say(id, $"{fault}{(fault.EndsWith('\n') ? "  " : " ")}Starting it again in {delay.TotalSeconds:0.#} s.");
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAny(changed, Task.Delay(delay, time, over.Token));
        await over.CancelAsync();
        stopping.ThrowIfCancellationRequested();
    }

    private async Task RestAsync(CancellationToken stopping)
    {
        for (var changed = _wish.Changed; _wish.Rests; changed = _wish.Changed)
        {
            Publish(KnownResourceStates.Exited);
            await changed.WaitAsync(stopping);
        }
    }

    private async Task<string> RunProcessAsync(ProcessSpec spec, CancellationToken stopping)
    {
        var began = time.GetTimestamp();
        await using var process = ChildProcess.Start(spec, line => console.Line(id, line));
        guardian.Started(process.Id);
        _process = process;
        notifications.Publish(resource, id, old => old with
        {
            StartTimeStamp = time.GetUtcNow().UtcDateTime,
            Restarts = old.StartTimeStamp is null ? 0 : old.Restarts + 1,
            ProcessId = process.Id,
            ExitCode = null,
            Environment = spec.Environment,
        });
        if (stopping.IsCancellationRequested || _wish.Rests)
        {
            // The stop may have looked before there was a process to end.
            process.Terminate();
        }

        using var dead = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var health = WatchHealthAsync(dead.Token);
        await process.WaitAsync(time);
        await dead.CancelAsync();
        await health;
        _process = null;
        guardian.Ended(process.Id);

        var exitCode = process.ExitCode;
        notifications.Publish(resource, id, old => old with
        {
            State = KnownResourceStates.Exited,
            ExitCode = _wish.IsAsked ? null : exitCode,
            ProcessId = null,
            HealthStatus = HealthStatus.Unhealthy,
        });
        return EndText(exitCode, time.GetElapsedTime(began), process.LastLines);
    }

    /// <summary>What the console says of a process that ended unasked.</summary>
    internal static string EndText(int exitCode, TimeSpan ran, IReadOnlyList<string> lastLines)
    {
        var how = exitCode > 128 && !OperatingSystem.IsWindows() ? $"signal {exitCode - 128}" : $"exit code {exitCode}";
        var after = ran.TotalSeconds < 10 ? $"{ran.TotalSeconds:0.0} s" : $"{ran:hh\\:mm\\:ss}";
        // Of a process that ran for a while, or was killed, the lines are above and don't tell why.
        var telling = exitCode is not (128 + Native.Kill or 128 + Native.Terminate) && ran < TellingRun;
        var said = !telling ? "." : lastLines.Count == 0 ? " and said nothing."
            : "; its last lines:" + string.Concat(lastLines.Select(line => $"{Environment.NewLine}    {line}")) + Environment.NewLine;
        return $"ended with {how} after {after}{said}";
    }

    private async Task WatchHealthAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var wasWell = false;
        var told = false;
        try
        {
            while (true)
            {
                var fault = await probe.AskAsync(resource, cancellationToken);
                var well = fault is null;
                notifications.Publish(resource, id, old => old with
                {
                    State = _wish.IsAsked ? KnownResourceStates.Stopping : KnownResourceStates.Running,
                    ExitCode = null,
                    HealthStatus = well ? HealthStatus.Healthy : HealthStatus.Unhealthy,
                });
                if (!well && !told && (wasWell || time.GetElapsedTime(began) > SlowStart))
                {
                    console.Say(id, $"not healthy: {fault}");
                    told = true;
                }
                else if (well && told)
                {
                    console.Say(id, "healthy again");
                    told = false;
                }

                wasWell |= well;
                await Task.Delay(wasWell ? AskWhileRunning : AskWhileStarting, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ended, or stopping.
        }
    }

    private void Publish(string state) => notifications.Publish(resource, id, old => old with { State = state, HealthStatus = null });
}
