using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.Hosting;
using Mesh.Server.Hosting.Options;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Supervisor;

/// <summary>
/// Tells a supervisor of this server's performance: at each interval one line of JSON over a connection of its own, to which nothing is
/// answered. A supervisor that is away is told so in the log once, and costs nothing else: a report that cannot be sent is dropped.
/// </summary>
internal sealed partial class SupervisorReporter(
    IOptions<MeshOptions> options, MeshInbox inbox, TimeProvider time, ILogger<SupervisorReporter> logger) : BackgroundService
{
    /// <summary>Connecting and sending together.</summary>
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(5);

    private bool _away;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Supervisor.Endpoint is not { } address || !MeshEndpoint.TryParse(address, out var endpoint))
        {
            return;
        }

        Activity.Current = null;
        try
        {
            var machine = new Machine();
            using var timer = new PeriodicTimer(options.Value.Supervisor.Interval, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (inbox.IsOpen)
                {
                    var report = await DrawAsync(machine);
                    Note(endpoint, await SendAsync(endpoint, report, stoppingToken));
                }
            }
        }
        catch (Exception exception) when (exception is LoopEndedException or OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task<byte[]> DrawAsync(Machine machine)
    {
        var status = await inbox.ReadAsync(core => core.GetStatus());
        var report = SupervisorReports.Of(status, machine.Look(), options.Value.Balancing.MaxQueueThreshold, time.GetUtcNow());
        return [.. JsonSerializer.SerializeToUtf8Bytes(report, SupervisorJson.Default.SupervisorReport), (byte)'\n'];
    }

    /// <summary>Null, or why it could not be sent.</summary>
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

    private void Note(MeshEndpoint endpoint, string? fault)
    {
        if (fault is not null && !_away)
        {
            LogAway(endpoint, fault);
        }
        else if (fault is null && _away)
        {
            LogBack(endpoint);
        }

        _away = fault is not null;
    }
}
