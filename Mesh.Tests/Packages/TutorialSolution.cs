using System.Text.RegularExpressions;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Packages;

/// <summary>
/// The solution of docs/your-own-tasks.md, built in a temporary folder outside of the repository from packages of a copy of the repository. Disposing it deletes the folder.
/// </summary>
internal sealed partial class TutorialSolution : IDisposable
{
    /// <summary>Builds leave the processor to the tests that run at the same time.</summary>
    private const string LowPriority = "renice -n 10 -p $$ >/dev/null";

    private readonly string _root = Directory.CreateTempSubdirectory("mesh-tutorial-").FullName;

    /// <summary>Makes the version of the packages unique, since NuGet keeps a package of a version that it has seen.</summary>
    private readonly string _suffix = $"test-{Guid.NewGuid():N}";

    /// <summary>The ports of the page, which other programs may use, and those that are used instead.</summary>
    private readonly Dictionary<string, int> _ports =
        new[] { "5080", "9001", "9002", "15889", "19002", "20002" }.ToDictionary(port => port, _ => RedisProcess.FreePort());

    private TutorialSolution()
    {
    }

    public string Folder => Path.Combine(_root, "words");

    public Uri Web => AddressOf("5080");

    public Uri ServerA => AddressOf("9001");

    public Uri ServerB => AddressOf("9002");

    /// <summary>The version of the packages.</summary>
    public string Version => $"1.0.0-{_suffix}";

    /// <summary>Writes the files and builds the solution, as a reader of the page does.</summary>
    public static async Task<TutorialSolution> BuildAsync()
    {
        var solution = new TutorialSolution();
        try
        {
            Directory.CreateDirectory(solution.Folder);
            await using var shell = solution.Shell(await RepositoryCopy.CreateAsync(solution._root));
            await shell.RunAsync(TutorialPage.Script("Packages and server"));
            foreach (var (name, text) in TutorialPage.Files)
            {
                await solution.WriteAsync(name, text);
            }

            await shell.RunAsync(TutorialPage.Script("The AppHost"));
            return solution;
        }
        catch
        {
            solution.Dispose();
            throw;
        }
    }

    /// <summary>A shell in the folder of the solution.</summary>
    public ShellBlocks Shell(string repository = "") => new(
        new()
        {
            ["MESH"] = repository,
            ["VersionSuffix"] = _suffix,
            // The build of the repository has checked the code. No process of the build stays, and none asks the network for more than packages.
            ["RunAnalyzers"] = "false",
            ["NuGetAudit"] = "false",
            ["MSBUILDDISABLENODEREUSE"] = "1",
            ["UseSharedCompilation"] = "false",
        },
        LowPriority,
        directory: Folder);

    /// <summary>Writes a file of the solution.</summary>
    public async Task WriteAsync(string name, string text)
    {
        var file = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, WithPorts(text), TestContext.Current.CancellationToken);
    }

    /// <summary>Replaces the ports in a text of the page.</summary>
    public string WithPorts(string text) => Number().Replace(text, number => _ports.TryGetValue(number.Value, out var port) ? $"{port}" : number.Value);

    public void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (var package in new[] { "meshaspire.worker", "meshaspire.client" }.Select(name => Path.Combine(packages, name, Version)).Where(Directory.Exists))
        {
            Directory.Delete(package, recursive: true);
        }
    }

    private Uri AddressOf(string port) => new($"http://localhost:{_ports[port]}");

    [GeneratedRegex(@"\b\d{4,5}\b")]
    private static partial Regex Number();
}
