using System.Diagnostics;
using System.Text.Json;
using Aspire.Hosting;

namespace MeshAspire.Hosting.Redis;

/// <summary>Detects whether containers can be started on this machine. It asks Aspire's orchestrator, because a client such as <c>docker</c> on the PATH does not imply a running engine.</summary>
internal static class ContainerRuntime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    /// <summary>Runs <c>dcp info</c>, which takes about 0.2 s, and returns whether a container runtime is running.</summary>
    /// <param name="builder">The builder of the AppHost.</param>
    /// <param name="fault">The reason why no container can be started; empty when the result is true.</param>
    public static bool IsRunning(IDistributedApplicationBuilder builder, out string fault)
    {
        fault = OrchestratorPath(builder) is { } orchestrator && File.Exists(orchestrator)
            ? QueryRuntime(orchestrator, builder.Configuration["DcpPublisher:ContainerRuntime"] ?? builder.Configuration["ASPIRE_CONTAINER_RUNTIME"])
            : "Aspire's orchestrator is not installed";
        return fault.Length == 0;
    }

    // Checks the same places as Aspire, in the same order.
    private static string? OrchestratorPath(IDistributedApplicationBuilder builder) =>
        builder.Configuration["DcpPublisher:CliPath"] is { Length: > 0 } configured ? configured
        : builder.Configuration["ASPIRE_DCP_PATH"] is { Length: > 0 } folder ? Path.Combine(folder, OperatingSystem.IsWindows() ? "dcp.exe" : "dcp")
        : BuildMetadata.Find(builder, "dcpclipath");

    private static string QueryRuntime(string orchestrator, string? runtime)
    {
        string[] arguments = string.IsNullOrEmpty(runtime) ? ["info"] : ["info", "--container-runtime", runtime];
        var start = new ProcessStartInfo(orchestrator, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!output.Wait(Limit))
        {
            process.Kill();
            return $"the container runtime did not answer within {Limit.TotalSeconds:0} s";
        }

        return ReadFault(output.Result);
    }

    private static string ReadFault(string info)
    {
        try
        {
            using var json = JsonDocument.Parse(info);
            var containers = json.RootElement.GetProperty("containers");
            var runtime = containers.GetProperty("runtime").GetString();
            return containers.GetProperty("running").GetBoolean() ? ""
                : containers.GetProperty("installed").GetBoolean() ? $"{runtime} is installed but not running"
                : "no container runtime is installed";
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "Aspire's orchestrator did not say whether a container runtime is running";
        }
    }
}
