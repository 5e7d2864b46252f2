using System.Text.Json.Nodes;

namespace Mesh.Tests.Publishing;

public sealed class GarnetVersionTests
{
    /// <summary>docs/operations.md starts Garnet by the tool manifest; the AppHost and the tests use the package that eng/Garnet.props names.</summary>
    [Fact]
    public void ToolManifest_OfTheRepository_NamesTheGarnetThatIsTested()
    {
        var manifest = JsonNode.Parse(File.ReadAllText(BuildOutput.Source(".config/dotnet-tools.json")))!;
        var version = (string)manifest["tools"]!["garnet-server"]!["version"]!;
        Assert.Contains(version, BuildOutput.Garnet.Split(Path.DirectorySeparatorChar));
    }
}
