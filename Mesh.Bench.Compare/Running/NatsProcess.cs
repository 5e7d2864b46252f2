using System.Diagnostics;
using System.Globalization;
using Mesh.Bench.Chaos;
using NATS.Client.Core;

namespace Mesh.Bench.Compare.Running;

/// <summary>A NATS server whose JetStream stores in files.</summary>
internal static class NatsProcess
{
    /// <summary>The first version with a setting for the time between two calls of fsync.</summary>
    private static readonly Version SyncIntervalVersion = new(2, 10);

    public static string? FindProgram() => ExecutableFinder.Find("nats-server");

    /// <summary>Returns whether the installed version has a setting for the time between two calls of fsync.</summary>
    public static bool HasSyncInterval()
    {
        using var process = Process.Start(new ProcessStartInfo(FindProgram()!, ["--version"]) { RedirectStandardOutput = true })!;

        // "nats-server: v2.9.10"
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return Version.TryParse(text[(text.LastIndexOf('v') + 1)..].Trim(), out var version) && version >= SyncIntervalVersion;
    }

    /// <param name="directory">The directory of the configuration and of the stream.</param>
    public static async Task<OwnedProcess> StartAsync(int port, Fsync fsync, string directory, CancellationToken cancellationToken)
    {
        var configuration = Path.Combine(directory, "nats.conf");
        var sync = HasSyncInterval() ? $"sync_interval: {(fsync == Fsync.Always ? "always" : "\"1s\"")}" : "";
        await File.WriteAllTextAsync(
            configuration,
            $$"""
            host: "127.0.0.1"
            port: {{port.ToString(CultureInfo.InvariantCulture)}}
            jetstream {
              store_dir: "{{directory}}"
              {{sync}}
            }
            """,
            cancellationToken);
        var nats = OwnedProcess.Start("nats-server", new(FindProgram()!, ["-c", configuration])).DropOutput();
        try
        {
            await nats.WaitUntilReadyAsync(cancellation => AnswersAsync(port).WaitAsync(cancellation), cancellationToken);
            return nats;
        }
        catch
        {
            await nats.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            await using var connection = new NatsConnection(new() { Url = string.Create(CultureInfo.InvariantCulture, $"nats://127.0.0.1:{port}") });
            await connection.ConnectAsync();
            return true;
        }
        catch (NatsException)
        {
            return false;
        }
    }
}
