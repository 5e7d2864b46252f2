using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Loop;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Supervisor;

/// <summary>
/// Reports this server's performance to a supervisor: at each interval one line of JSON over a new TCP connection. The supervisor does not answer. A report that
/// cannot be sent is dropped. The log has one line when the supervisor becomes unavailable, and one when it is available again.
/// </summary>
internal sealed partial class SupervisorReporter(
    IOptions<MeshOptions> options, CoreInputQueue inputs, TimeProvider time, ILogger<SupervisorReporter> logger) : BackgroundService
{
    /// <summary>The maximum time for connecting and sending.</summary>
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(5);

    private bool _isUnavailable;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Supervisor.Endpoint is not { } address || !MeshEndpoint.TryParse(address, out var endpoint))
        {
            return;
        }

        Activity.Current = null;
        try
        {
            var machine = new MachineMetrics();
            using var timer = new PeriodicTimer(options.Value.Supervisor.Interval, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (inputs.IsOpen)
                {
                    var report = await CreateReportAsync(machine);
                    LogAvailability(endpoint, await SendAsync(endpoint, report, stoppingToken));
                }
            }
        }
        catch (Exception exception) when (exception is LoopStoppedException or OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task<byte[]> CreateReportAsync(MachineMetrics machine)
    {
        var status = await inputs.QueryAsync(core => core.GetStatus());
        var report = SupervisorReportBuilder.Of(status, machine.Read(), options.Value.Balancing.MaxQueueThreshold, time.GetUtcNow());
        return [.. JsonSerializer.SerializeToUtf8Bytes(report, SupervisorJson.Default.SupervisorReport), (byte)'\n'];
    }

    /// <summary>Sends a line. Returns the error when it cannot be sent, else null.</summary>
    private async Task<string?> SendAsync(MeshEndpoint endpoint, byte[] line, CancellationToken stoppingToken)
    {
        using var limit = new CancellationTokenSource(SendTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stoppingToken);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(endpoint.Host, endpoint.Port, either.Token);
            await client.GetStream().WriteAsync(line, either.Token);
            return null;
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            return exception.Message;
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            return $"No connection within {SendTimeout.TotalSeconds} s.";
        }
    }

    private void LogAvailability(MeshEndpoint endpoint, string? fault)
    {
        if (fault is not null && !_isUnavailable)
        {
            LogUnavailable(endpoint, fault);
        }
        else if (fault is null && _isUnavailable)
        {
            LogAvailableAgain(endpoint);
        }

        _isUnavailable = fault is not null;
    }

    [LoggerMessage(6001, LogLevel.Warning, "The supervisor at {Endpoint} (Mesh__Supervisor__Endpoint) is unavailable. Reports are dropped until it is available again. {Reason}")]
    private partial void LogUnavailable(MeshEndpoint endpoint, string reason);

    [LoggerMessage(6002, LogLevel.Information, "The supervisor at {Endpoint} is available again.")]
    private partial void LogAvailableAgain(MeshEndpoint endpoint);
}
