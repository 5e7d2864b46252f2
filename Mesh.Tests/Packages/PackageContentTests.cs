using System.Xml.Linq;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Packages;

/// <summary>What is in the packages that are made from this repository.</summary>
[Collection(PackageTests.Name)]
[Trait("Speed", "Slow")]
public sealed class PackageContentTests(TutorialFixture tutorial)
{
    private const string Worker = "MeshAspire.Worker";
    private const string Client = "MeshAspire.Client";

    /// <summary>The assemblies of each package. The first one is its API, the others are its implementation.</summary>
    public static TheoryData<string, string[]> Packages => new()
    {
        { Worker, [Worker, "Mesh.Common", "Mesh.Protocol", "Mesh.Transport"] },
        { Client, [Client] },
    };

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task Package_Files_AreTheAssembliesTheirDocumentationAndTheReadme(string id, string[] assemblies)
    {
        using var package = new PackageFile(await tutorial.SolutionAsync(), id, "nupkg");

        Assert.Equal(
            [
                $"{id}.nuspec", "README.md", "icon.png",
                .. assemblies.Select(name => $"lib/net10.0/{name}.dll").Append($"lib/net10.0/{id}.xml").Order(StringComparer.Ordinal),
                $"ref/net10.0/{id}.dll", $"ref/net10.0/{id}.xml",
            ],
            package.Names);
        Assert.Equal(await File.ReadAllTextAsync(BuildOutput.Source($"{id}/README.md"), TestContext.Current.CancellationToken), package.Text("README.md"));
        Assert.Equal(await File.ReadAllBytesAsync(BuildOutput.Source("eng/icon.png"), TestContext.Current.CancellationToken), package.Bytes("icon.png"));
        Assert.Contains($"name=\"T:{id}.", package.Text($"ref/net10.0/{id}.xml"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task Symbols_OfAPackage_LinkToTheSourcesOfItsCommit(string id, string[] assemblies)
    {
        var solution = await tutorial.SolutionAsync();
        using var package = new PackageFile(solution, id, "nupkg");
        using var symbols = new PackageFile(solution, id, "snupkg");
        var repository = package.Metadata(id).Element("repository")!;
        var commit = (string)repository.Attribute("commit")!;

        Assert.Equal(RepositoryCopy.Address, ((string)repository.Attribute("url")!).TrimEnd('/').Replace(".git", "", StringComparison.Ordinal));
        Assert.Equal(
            assemblies.Select(name => $"lib/net10.0/{name}.pdb").Order(StringComparer.Ordinal), symbols.Names.Where(name => name.EndsWith(".pdb", StringComparison.Ordinal)));
        Assert.All(assemblies, name => Assert.Contains($"{RepositoryCopy.Sources}{commit}/*", symbols.SourceLinks($"lib/net10.0/{name}.pdb"), StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task Package_Metadata_HasLicenseIconAndReadme(string id, string[] assemblies)
    {
        Assert.Contains(id, assemblies);
        using var package = new PackageFile(await tutorial.SolutionAsync(), id, "nupkg");
        var metadata = package.Metadata(id);

        Assert.Equal(
            (id, "MIT", "expression", "icon.png", "README.md"),
            (metadata.Element("id")!.Value, metadata.Element("license")!.Value, (string)metadata.Element("license")!.Attribute("type")!, metadata.Element("icon")!.Value,
                metadata.Element("readme")!.Value));
        Assert.NotEmpty(metadata.Element("description")!.Value);
    }

    [Theory]
    [InlineData(Worker)]
    [InlineData(Client)]
    public async Task Package_Dependencies_AreThoseOfItsProject(string id)
    {
        using var package = new PackageFile(await tutorial.SolutionAsync(), id, "nupkg");
        var group = Assert.Single(package.Metadata(id).Element("dependencies")!.Elements("group"));
        var versions = XDocument.Load(BuildOutput.Source("Directory.Packages.props")).Descendants("PackageVersion")
            .ToDictionary(one => (string)one.Attribute("Include")!, one => (string)one.Attribute("Version")!);
        var references = XDocument.Load(BuildOutput.Source($"{id}/{id}.csproj")).Descendants("PackageReference").Select(one => (string)one.Attribute("Include")!);
        var dependencies = group.Elements("dependency").ToDictionary(one => (string)one.Attribute("id")!, one => (string)one.Attribute("version")!);

        Assert.Equal("net10.0", (string)group.Attribute("targetFramework")!);
        // A package that the references need has the version of this repository, too, so it is a dependency. Others, such as analyzers, are none.
        Assert.Empty(references.Except(dependencies.Keys));
        Assert.All(dependencies, dependency => Assert.Equal(versions[dependency.Key], dependency.Value));
        Assert.All(dependencies.Keys, name => Assert.Matches(@"^(Microsoft\.Extensions|OpenTelemetry|Polly)\.", name));
    }
}
