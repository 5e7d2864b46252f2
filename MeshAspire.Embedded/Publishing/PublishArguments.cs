using Aspire.Hosting;
using Microsoft.Extensions.Configuration;

namespace MeshAspire.Embedded.Publishing;

/// <summary>The arguments that ask for files instead of a run, as Aspire takes them.</summary>
internal static class PublishArguments
{
    public const string StepKey = "Pipeline:Step";
    public const string OutputPathKey = "Pipeline:OutputPath";
    public const string ManifestStep = "publish-manifest";

    private const string OperationKey = "AppHost:Operation";
    private const string PublisherKey = "Publishing:Publisher";

    private static readonly Dictionary<string, string> Switches = new()
    {
        ["--operation"] = OperationKey,
        ["--publisher"] = PublisherKey,
        ["--step"] = StepKey,
        ["--output-path"] = OutputPathKey,
    };

    /// <summary>Adds them to the configuration: <c>--publisher manifest</c> is short for the operation publish and its step publish-manifest.</summary>
    public static DistributedApplicationOperation Read(ConfigurationManager configuration, string[] args)
    {
        configuration.AddCommandLine(args, Switches);
        if (string.Equals(configuration[PublisherKey], "manifest", StringComparison.OrdinalIgnoreCase))
        {
            configuration[StepKey] ??= ManifestStep;
            configuration[OperationKey] ??= "publish";
        }

        return configuration[OperationKey]?.ToLowerInvariant() switch
        {
            null or "run" => DistributedApplicationOperation.Run,
            "publish" => DistributedApplicationOperation.Publish,
            var other => throw new DistributedApplicationException($"--operation is '{other}'; it must be run or publish."),
        };
    }
}
