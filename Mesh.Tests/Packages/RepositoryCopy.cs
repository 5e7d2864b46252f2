using Mesh.Bench.Chaos;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Packages;

/// <summary>
/// A copy of the repository's files, as a clone from GitHub is: builds in it do not change the programs that other tests use, and its packages have source links.
/// </summary>
internal static class RepositoryCopy
{
    /// <summary>The address of the files in the source links, followed by the commit.</summary>
    public const string Sources = "https://raw.githubusercontent.com/example/mesh/";

    /// <summary>The address of the repository in the packages.</summary>
    public const string Address = "https://github.com/example/mesh";

    /// <summary>Lists the files of the working tree, with those that are not committed yet, and makes a commit of them.</summary>
    private const string Script = """
        git -c core.quotePath=false -C "$SOURCE" ls-files --cached --others --exclude-standard |
          while IFS= read -r file; do [ ! -f "$SOURCE/$file" ] || echo "$file"; done >files
        mkdir mesh
        tar -C "$SOURCE" -c -T files | tar -C mesh -x
        cd mesh
        git init --quiet
        git remote add origin https://github.com/example/mesh.git
        git add --all
        git -c user.name=Tests -c user.email=tests@example.org -c commit.gpgsign=false commit --quiet --no-verify --message Copy
        """;

    /// <summary>Makes the copy, as the folder "mesh".</summary>
    /// <returns>The path of the copy.</returns>
    public static async Task<string> CreateAsync(string folder)
    {
        Assert.SkipUnless(ExecutableFinder.Find("git") is not null && Path.Exists(BuildOutput.Source(".git")), "Needs git, and a clone of the repository.");
        await using var shell = new ShellBlocks(new() { ["SOURCE"] = BuildOutput.Source("") }, directory: folder);
        await shell.RunAsync(Script);
        return Path.Combine(folder, "mesh");
    }
}
