using Mesh.Server.Hosting.Options;
using Mesh.Server.Links;
using Mesh.Server.Loop;
using Mesh.Server.ServerLeases;
using Mesh.Server.Sessions;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Hosting;

/// <summary>
/// Starts the loop, and stops the server in order: no new work, what runs may finish, what is left is written, connections are closed.
/// That happens before any hosted service stops, while the web server still serves.
/// </summary>
internal sealed partial class MeshServerService(
    CoreLoop loop,
    CoreInputQueue inputs,
    SettingsResolver settings,
    SessionTable sessions,
    PeerLinks links,
    IOptions<MeshOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<MeshServerService> logger) : IHostedLifecycleService, IAsyncDisposable
{
    /// <summary>Time to write what is left, once running tasks have had theirs.</summary>
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
        // Here the web server listens, so that its address is known. The loop is no part of whatever started the host.
        using (ExecutionContext.SuppressFlow())
        {
            _run = Task.Run(RunAsync, CancellationToken.None);
        }

        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        LogStopping();
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
            // Stopped before it ran, or without time to write what was left.
        }
        catch (Exception fault) when (fault is MeshConfigurationException or ServerLeaseHeldException or ServerLeaseLostException)
        {
            LogCannotServe(fault.Message);
            End();
        }
#pragma warning disable CA1031 // Whatever it is, a server without its loop must not live on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogLoopFailed(exception);
            End();
        }
        finally
        {
            // Also when the loop never ran: who waits to be heard is told.
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

    [LoggerMessage(1101, LogLevel.Information, "Stopping: no new work; what runs may finish.")]
    private partial void LogStopping();

    [LoggerMessage(1102, LogLevel.Warning, "Not everything was finished within {Limit} (Mesh__StopTimeout): running tasks go back to the queue, for the next start.")]
    private partial void LogNotDrained(TimeSpan limit);

    [LoggerMessage(1103, LogLevel.Error, "The last changes could not be written: the store does not answer.")]
    private partial void LogNotFlushed();

    [LoggerMessage(1104, LogLevel.Critical, "{Fault} The process ends.")]
    private partial void LogCannotServe(string fault);

    [LoggerMessage(1105, LogLevel.Critical, "This server's loop failed, which is a bug; the process ends.")]
    private partial void LogLoopFailed(Exception exception);

    [LoggerMessage(1106, LogLevel.Warning, "{Setting} is not a setting of a server and has no effect.")]
    private partial void LogUnknownSetting(string setting);
}
