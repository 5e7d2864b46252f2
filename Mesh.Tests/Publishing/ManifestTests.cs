using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Mesh.Tests.Publishing;

/// <summary>The manifest that the AppHost publishes.</summary>
[Trait("Speed", "Slow")]
public sealed partial class ManifestTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _output = Directory.CreateTempSubdirectory("mesh-manifest-");

    public void Dispose() => _output.Delete(recursive: true);

    [Fact]
    public async Task Manifest_OfThisApplication_MatchesAspiresOutput()
    {
        var resources = await PublishAsync("--publisher", "manifest", "--output-path", Path.Combine(_output.FullName, "m.json"));
        foreach (var project in resources.Select(resource => resource.Value!.AsObject()).Where(resource => resource.ContainsKey("path")))
        {
            var path = Path.GetFullPath(Path.Combine(_output.FullName, (string)project["path"]!));
            Assert.True(File.Exists(path), $"{path} is not there.");
            project["path"] = Path.GetFileName(path);
        }

        var expected = JsonNode.Parse(await File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "Publishing", "aspire-manifest.json"), TestContext.Current.CancellationToken))!["resources"]!;
        Assert.Equal(Text(expected), Text(resources));
    }

    [Fact]
    public async Task Manifest_ByPipelineStep_IsTheSame()
    {
        var byPublisher = await PublishAsync("--publisher", "manifest", "--output-path", _output.FullName);
        var byStep = await PublishAsync("--operation", "publish", "--step", "publish-manifest", "--output-path", _output.FullName);
        Assert.Equal(Text(byPublisher), Text(byStep));
    }

    [Fact]
    public async Task Manifest_EachPlaceholder_IsResolved()
    {
        var resources = await PublishAsync("--publisher", "manifest", "--output-path", _output.FullName);
        var placeholders = Placeholder().Matches(Text(resources)).Select(match => match.Groups[1].Value).Distinct().ToArray();
        Assert.NotEmpty(placeholders);
        Assert.DoesNotContain(placeholders, placeholder => !Resolves(resources, placeholder.Split('.')));
    }

    [Fact]
    public async Task Manifest_AnyValue_ContainsNoSecretAndNoDemoLoad()
    {
        var text = Text(await PublishAsync("--publisher", "manifest", "--output-path", _output.FullName, "--Parameters:mesh-token=s3cret", "--Parameters:redis-password=s3cret"));
        Assert.DoesNotContain("s3cret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Mesh__Producer", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Mesh__WorkTime", text, StringComparison.Ordinal);
        Assert.DoesNotContain("localhost", text, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\{([a-z][\w.-]*)\}")]
    private static partial Regex Placeholder();

    private static string Text(JsonNode node) => node.ToJsonString(new JsonSerializerOptions { WriteIndented = true });

    // The manifest contains only the name of an endpoint; the platform adds host, port and the rest.
    private static bool Resolves(JsonObject resources, string[] path) => resources[path[0]] is JsonObject resource && path[1..] switch
    {
        ["bindings", var endpoint, "host" or "port" or "targetPort" or "scheme" or "url"] => resource["bindings"]?[endpoint] is not null,
        ["value"] => resource["value"] is not null,
        ["connectionString"] => resource["connectionString"] is not null,
        ["inputs", var input] => resource["inputs"]?[input] is not null,
        _ => false,
    };

    private async Task<JsonObject> PublishAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [BuildOutput.AppHost, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // dotnet run takes this value from the launch profile.
        start.Environment["ASPNETCORE_URLS"] = "http://localhost:15888";
        using var program = Process.Start(start)!;
        try
        {
            var output = program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = program.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await program.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.True(program.ExitCode == 0, $"The AppHost ended with {program.ExitCode}: {await output}{await errors}");
        }
        finally
        {
            if (!program.HasExited)
            {
                program.Kill(entireProcessTree: true);
            }
        }

        var file = _output.GetFiles("*.json").Single();
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(file.FullName, TestContext.Current.CancellationToken))!;
        file.Delete();
        return manifest["resources"]!.AsObject();
    }
}
