using Mesh.Server.Hosting.Options;
using Mesh.Server.Links;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Server.Sessions;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Hosting;

/// <summary>
/// Starts the loop when the web server listens. Stops the server in this order: it accepts no new work, waits until running tasks finish, writes the last changes, and closes
/// the connections. This happens before any hosted service stops, while the web server still serves.
/// </summary>
internal sealed partial class MeshServerService(
    CoreLoop loop,
    CoreInputQueue inputs,
    TaskWaiters waiters,
    SettingsResolver settings,
    SessionTable sessions,
    PeerLinks links,
    IOptions<MeshOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<MeshServerService> logger) : IHostedLifecycleService, IAsyncDisposable
{
    /// <summary>The time to write the last changes, after <see cref="MeshOptions.StopTimeout"/>.</summary>
    public static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _abort = new();
    private Task _run = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        options.Value.Unknown.ForEach(LogUnknownSetting);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // The web server listens now, so its address is known. The loop must not inherit the execution context of the host's start.
        using (ExecutionContext.SuppressFlow())
        {
            _run = Task.Run(RunAsync, CancellationToken.None);
        }

        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        LogStopping();
        waiters.Close();
        if (inputs.IsOpen && await inputs.PostAsync(new(LoopInputKind.Stop)))
        {
            if (!await CompletesWithinAsync(loop.Drained, options.Value.StopTimeout, cancellationToken))
            {
                LogNotDrained(options.Value.StopTimeout);
            }

            await inputs.PostAsync(new(LoopInputKind.Finish));
            if (!await CompletesWithinAsync(_run, FlushTimeout, cancellationToken))
            {
                LogNotFlushed();
            }
        }

        await _abort.CancelAsync();
        await _run;
        await links.StopAsync();
        await sessions.CloseAllAsync();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _abort.CancelAsync();
        await _run;
        _abort.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await loop.RunAsync(await settings.ResolveAsync(_abort.Token), _abort.Token);
        }
        catch (OperationCanceledException) when (_abort.IsCancellationRequested)
        {
            // The host stopped before the loop ran, or before the last changes were written.
        }
        catch (Exception fault) when (fault is MeshConfigurationException or ServerLeaseHeldException or ServerLeaseLostException)
        {
            LogCannotServe(fault.Message);
            End();
        }
#pragma warning disable CA1031 // A server cannot work without its loop, so the process ends after any exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogLoopFailed(exception);
            End();
        }
        finally
        {
            // Also runs if the loop never started, so that waiting callers get an answer.
            inputs.Close();
        }
    }

    private void End()
    {
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    private async Task<bool> CompletesWithinAsync(Task task, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(limit, time, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(1101, LogLevel.Information, "Stopping: the server accepts no new work and waits until running tasks finish.")]
    private partial void LogStopping();

    [LoggerMessage(1102, LogLevel.Warning, "Not all tasks finished within {Limit} (Mesh__StopTimeout). The remaining tasks stay in the store and run after the next start.")]
    private partial void LogNotDrained(TimeSpan limit);

    [LoggerMessage(1103, LogLevel.Error, "The last changes could not be written: the store does not answer.")]
    private partial void LogNotFlushed();

    [LoggerMessage(1104, LogLevel.Critical, "{Fault} The process ends.")]
    private partial void LogCannotServe(string fault);

    [LoggerMessage(1105, LogLevel.Critical, "The server's loop failed because of a bug. The process ends.")]
    private partial void LogLoopFailed(Exception exception);

    [LoggerMessage(1106, LogLevel.Warning, "{Setting} is not a setting of a server and has no effect.")]
    private partial void LogUnknownSetting(string setting);
}
