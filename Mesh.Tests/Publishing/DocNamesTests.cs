using System.Reflection;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Mesh.Accounts;
using Mesh.Bench.Chaos;
using Mesh.Common;
using Mesh.Fuzz;
using Mesh.Protocol;
using Mesh.Server.Loop;
using Mesh.Simulation;
using Mesh.Transport;
using Mesh.Worker;
using MeshAspire.Client;
using MeshAspire.ServiceDefaults;
using MeshAspire.Worker;

namespace Mesh.Tests.Publishing;

/// <summary>What the documentation says of the code exists: types, members, files, and the sections that doc comments cite.</summary>
public sealed partial class DocNamesTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    /// <summary>Words in backticks that look like types and are names of other things.</summary>
    private static readonly HashSet<string> OtherNames =
    [
        // Steps of a loan and states of a worker, as messages, logs and metrics write them.
        "Offered", "Lent", "Released", "Expected", "Arrived", "Releasing", "Returning", "Returned", "SetAside", "Gone", "Accepted",
        "Healthy",
        // ASP.NET Core, NuGet, Aspire, Kubernetes.
        "AllowedHosts", "NuGetAudit", "Sni", "WaitFor", "WithPersistence", "WebSocket", "Tcp", "Origin", "LoggerMessage", "Uri", "PackageReference", "ProjectReference",

        // The category of logged messages.
        "Mesh.Messages",
    ];

    private static readonly ILookup<string, Type> Types = new[]
        {
            typeof(MeshMessage), typeof(MeshConnection), typeof(ILedger), typeof(CoreLoop), typeof(WorkerService), typeof(AccountHandlers), typeof(MeshTelemetry), typeof(ServiceRunner), typeof(MeshClient), typeof(SimulationRun), typeof(FuzzRun), typeof(ChaosRun),
            typeof(MeshHostingExtensions), typeof(DocNamesTests),
        }
        .Select(type => type.Assembly).Append(Assembly.LoadFrom(BuildOutput.AppHost))
        .SelectMany(assembly => assembly.GetTypes()).ToLookup(type => type.Name.Split('`')[0]);

    /// <summary>Names of members and namespaces, such as those of settings.</summary>
    private static readonly Lazy<HashSet<string>> Members = new(() =>
        [.. Types.SelectMany(types => types).SelectMany(type => type.GetMembers(Declared).Select(member => member.Name).Concat((type.Namespace ?? "").Split('.')))]);

    /// <summary>Files and directories of the repository, without what a build makes.</summary>
    private static readonly Lazy<List<string>> Files = new(() =>
        [.. Directory.EnumerateFileSystemEntries(BuildOutput.Source(""), "*", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal) && !file.Contains("/.git/", StringComparison.Ordinal)
                && !file.Contains("/node_modules/", StringComparison.Ordinal))]);

    public static TheoryData<string> Pages => [.. Directory.EnumerateFiles(BuildOutput.Source("docs"), "*.md").Select(file => $"docs/{Path.GetFileName(file)}").Append("README.md")];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Names_InBackticks_Exist(string page)
    {
        var missing = File.ReadAllLines(BuildOutput.Source(page)).SelectMany((line, index) => Backticks().Matches(line)
            .Select(match => match.Groups[1].Value).Where(name => !Exists(page, name)).Select(name => $"{page}:{index + 1}: {name}"));

        Assert.True(!missing.Any(), string.Join(Environment.NewLine, missing));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_OfAPage_PointToExistingFilesAndSections(string page)
    {
        var directory = Path.GetDirectoryName(BuildOutput.Source(page))!;
        var broken = Link().Matches(File.ReadAllText(BuildOutput.Source(page))).Select(link => link.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal))
            .Where(target =>
            {
                var parts = target.Split('#');
                var file = parts[0].Length == 0 ? BuildOutput.Source(page) : Path.Combine(directory, parts[0]);
                return !Path.Exists(file) || (parts.Length > 1 && !Headings(file).Select(Anchor).Contains(parts[1]));
            });

        Assert.Empty(broken);
    }

    [Fact]
    public void Citations_InTheCode_NameAPageAndASectionOfIt()
    {
        var root = BuildOutput.Source("");
        var citations = SourceFiles(root)
            .SelectMany(file => Citation().Matches(CommentBreak().Replace(File.ReadAllText(file), " "))
                .Select(match => (File: Path.GetRelativePath(root, file), Page: match.Groups[1].Value, Section: match.Groups[2].Value))).ToList();

        Assert.InRange(citations.Count, 40, int.MaxValue);
        Assert.DoesNotContain(
            citations, cited => !File.Exists(Path.Combine(root, cited.Page)) || (cited.Section.Length > 0 && !Headings(Path.Combine(root, cited.Page)).Contains(cited.Section)));
    }

    [Fact]
    public void Index_OfTheProtocol_NamesEachSectionAndTypesThatCiteIt()
    {
        var page = BuildOutput.Source("docs/protocol.md");
        var text = File.ReadAllText(page);
        var index = text[text.IndexOf("## Where each section is implemented", StringComparison.Ordinal)..];
        var rows = IndexRow().Matches(index).ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value);

        Assert.Equal(Headings(page).Skip(1).Except(["Worker and server", "Server and server", "Where each section is implemented"]), rows.Keys);
        Assert.All(rows, row => Assert.Contains("Tests", row.Value, StringComparison.Ordinal));
    }

    /// <summary>A text in italics of four words or more is a line of a log or of an answer.</summary>
    [Fact]
    public void Quotations_InTheManual_MatchTheCode()
    {
        var code = string.Join('\n', SourceFiles(BuildOutput.Source("")).Where(file => !file.Contains("/Mesh.Tests/", StringComparison.Ordinal)).Select(File.ReadAllText));
        var parts = Quotation().Matches(File.ReadAllText(BuildOutput.Source("docs/operations.md")))
            .Select(match => match.Groups[1].Value.ReplaceLineEndings(" ")).Where(quoted => quoted.Split(' ').Length >= 4)
            .SelectMany(quoted => quoted.Split(["…", "Mesh__Tasks__HoldTme", "Mesh__Tasks__HoldTime", ", not"], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();

        Assert.InRange(parts.Count, 10, int.MaxValue);
        var missing = parts.Where(part => !code.Contains(part, StringComparison.Ordinal));
        Assert.True(!missing.Any(), string.Join(Environment.NewLine, missing));
    }

    private static IEnumerable<string> SourceFiles(string root) => Directory.EnumerateDirectories(root, "Mesh*")
        .SelectMany(project => Directory.EnumerateFiles(project, "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static bool Exists(string page, string name)
    {
        if (FileName().IsMatch(name))
        {
            return NotChecked().IsMatch(name) || Files.Value.Any(file => file.EndsWith($"/{name.TrimEnd('/')}", StringComparison.Ordinal));
        }

        if (Member().Match(name) is { Success: true } pair)
        {
            return OtherNames.Contains(pair.Groups[1].Value) || OtherNames.Contains(name) || Directory.Exists(BuildOutput.Source(name))
                || Types[pair.Groups[1].Value].Any(type => type.GetMember(pair.Groups[2].Value, Declared).Length > 0);
        }

        // Pages about the code write types of a single word too.
        var isName = page is "docs/architecture.md" or "docs/changing.md" ? PascalCase() : TypeName();
        return !isName.IsMatch(name) || Types.Contains(name) || Members.Value.Contains(name) || OtherNames.Contains(name);
    }

    /// <summary>The headings of a page, without those of its code blocks.</summary>
    private static List<string> Headings(string file)
    {
        var (headings, isCode) = (new List<string>(), false);
        foreach (var line in File.ReadLines(file))
        {
            isCode ^= line.StartsWith("```", StringComparison.Ordinal);
            if (!isCode && Heading().Match(line) is { Success: true } heading)
            {
                headings.Add(heading.Groups[1].Value);
            }
        }

        return headings;
    }

    /// <summary>The anchor that GitHub gives a heading.</summary>
    private static string Anchor(string heading) => NotOfAnAnchor().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Backticks();

    /// <summary>Two words at least: a single word is more often no name of the code.</summary>
    [GeneratedRegex("^(?:[A-Z][a-z0-9]+){2,}$|^I[A-Z][a-z][a-zA-Z]+$")]
    private static partial Regex TypeName();

    [GeneratedRegex("^[A-Z][a-zA-Z0-9]*[a-z][a-zA-Z0-9]*$")]
    private static partial Regex PascalCase();

    [GeneratedRegex(@"^([A-Z]\w+)\.(\w+)$")]
    private static partial Regex Member();

    /// <summary>A file of code, or a path.</summary>
    [GeneratedRegex(@"^[\w.-]+\.(?:cs|mjs|props|py|csproj)$|^[A-Za-z.][\w.-]*(?:/[\w.-]+)+/?$")]
    private static partial Regex FileName();

    /// <summary>What a build or a reader makes, and examples.</summary>
    [GeneratedRegex(@"/obj/|/\.env$|^a/b$|^farms/N$|^Words\.")]
    private static partial Regex NotChecked();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("(docs/[a-z-]+\\.md)(?:, \"([^\"]+)\")?")]
    private static partial Regex Citation();

    [GeneratedRegex(@"\s*\n\s*///? ")]
    private static partial Regex CommentBreak();

    [GeneratedRegex("^#+ (.+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"(?<!\*)\*([A-Za-z…][^*]+)\*(?!\*)")]
    private static partial Regex Quotation();

    [GeneratedRegex("[^a-z0-9 _-]")]
    private static partial Regex NotOfAnAnchor();

    [GeneratedRegex(@"^\| ([A-Z][^|]*?) \| ([^\n]*) \|$", RegexOptions.Multiline)]
    private static partial Regex IndexRow();
}
