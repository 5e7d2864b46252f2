using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Xml.Linq;

namespace Mesh.Tests.Packages;

/// <summary>A package or its symbols, as files.</summary>
internal sealed class PackageFile : IDisposable
{
    /// <summary>The kind of the debug information that contains Source Link (the specification of portable PDB files).</summary>
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    private readonly ZipArchive _archive;

    /// <param name="extension">"nupkg" or "snupkg".</param>
    public PackageFile(TutorialSolution solution, string id, string extension) =>
        _archive = ZipFile.OpenRead(Path.Combine(solution.Folder, "packages", $"{id}.{solution.Version}.{extension}"));

    /// <summary>The names of the files, without those that each package has.</summary>
    public IEnumerable<string> Names => _archive.Entries.Select(entry => entry.FullName)
        .Where(name => !name.StartsWith("_rels/", StringComparison.Ordinal) && !name.StartsWith("package/", StringComparison.Ordinal) && name != "[Content_Types].xml")
        .Order(StringComparer.Ordinal);

    public string Text(string name) => Encoding.UTF8.GetString(Bytes(name));

    /// <summary>The element "metadata" of the description of the package, without namespaces.</summary>
    public XElement Metadata(string id)
    {
        var root = XDocument.Parse(Text($"{id}.nuspec").TrimStart('\uFEFF')).Root!;
        foreach (var element in root.DescendantsAndSelf())
        {
            element.Name = element.Name.LocalName;
        }

        return root.Element("metadata")!;
    }

    /// <summary>The JSON of the source links of a file of symbols.</summary>
    public string SourceLinks(string name)
    {
        using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(Bytes(name)));
        var reader = provider.GetMetadataReader();
        var links = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).Single(information => reader.GetGuid(information.Kind) == SourceLink);
        return Encoding.UTF8.GetString(reader.GetBlobBytes(links.Value));
    }

    public byte[] Bytes(string name)
    {
        using var content = new MemoryStream();
        using var stream = _archive.GetEntry(name)!.Open();
        stream.CopyTo(content);
        return content.ToArray();
    }

    public void Dispose() => _archive.Dispose();
}
