using System.Text.RegularExpressions;
using Mesh.Tests.Publishing;

namespace Mesh.Tests.Packages;

/// <summary>docs/your-own-tasks.md: the files that it shows and its shell blocks.</summary>
internal static partial class TutorialPage
{
    private const string Page = "docs/your-own-tasks.md";

    /// <summary>The name and the text of each file, in order.</summary>
    public static IEnumerable<(string Name, string Text)> Files =>
        NamedBlock().Matches(File.ReadAllText(BuildOutput.Source(Page))).Select(block => (block.Groups[1].Value, block.Groups[2].Value));

    /// <summary>The shell blocks of a section as one script, since a reader runs them in one shell. The block that runs until Ctrl-C is left out.</summary>
    public static string Script(string section) =>
        string.Concat(ShellBlocks.Of(Page, section).Where(block => !block.StartsWith(ShellBlocks.Stays, StringComparison.Ordinal)));

    /// <summary>The block that starts the AppHost.</summary>
    public static string AppHost => Assert.Single(ShellBlocks.Of(Page, "Run it"), block => block.StartsWith(ShellBlocks.Stays, StringComparison.Ordinal));

    /// <summary>A line with the name of the file, and the block below it.</summary>
    [GeneratedRegex(@"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex NamedBlock();
}
