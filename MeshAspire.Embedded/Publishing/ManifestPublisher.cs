using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MeshAspire.Embedded.Redis;
using MeshAspire.Embedded.Running;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace MeshAspire.Embedded.Publishing;

/// <summary>Writes the manifest of the application, and ends.</summary>
internal sealed class ManifestPublisher(
    IConfiguration configuration, IResourceCollection resources, DistributedApplicationExecutionContext execution, ResourceConsole console,
    IHostApplicationLifetime lifetime) : IHostedService
{
    private const string FileName = "aspire-manifest.json";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (configuration[PublishArguments.StepKey] is var step && step != PublishArguments.ManifestStep)
        {
            throw new DistributedApplicationException(
                $"The engine Embedded has no step '{step ?? "publish"}', only {PublishArguments.ManifestStep}. Aspire writes compose files, by -p:MeshEngine=Aspire; "
                + "compose.yaml in deploy/compose needs neither.");
        }

        if (configuration[RedisLauncher.Setting] == "external")
        {
            throw new DistributedApplicationException(
                $"The engine Embedded publishes Redis as a container: {RedisLauncher.Setting} can be external for a run alone. Aspire publishes it, by -p:MeshEngine=Aspire.");
        }

        var path = configuration[PublishArguments.OutputPathKey]
            ?? throw new DistributedApplicationException("--output-path is missing: the manifest's directory, or its file, which ends in .json.");
        path = Path.GetFullPath(path.EndsWith(".json", StringComparison.Ordinal) ? path : Path.Combine(path, FileName));
        try
        {
            await WriteAsync(path, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DistributedApplicationException($"--output-path can't be {path}: {exception.Message}", exception);
        }

        console.Say($"Published manifest to: {path}");
        lifetime.StopApplication();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task WriteAsync(string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var stream = new FileStream(path, FileMode.Create);
        await using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        await new ManifestWriter(json, path, execution).WriteAsync(resources, cancellationToken);
    }
}
