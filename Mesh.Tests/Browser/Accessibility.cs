using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Mesh.Tests.Browser;

/// <summary>What axe-core (https://github.com/dequelabs/axe-core) finds of a page: names, roles, contrast.</summary>
internal static class Accessibility
{
    private static readonly AxeRunOptions All = new()
    {
        RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] },
        ResultTypes = [ResultType.Violations],
    };

    private static readonly AxeRunOptions Contrast = new()
    {
        RunOnly = new RunOnlyOptions { Type = "rule", Values = ["color-contrast"] },
        ResultTypes = [ResultType.Violations],
    };

    /// <summary>A list's rows are all alike.</summary>
    private static readonly AxeRunContext Context = new()
    {
        Exclude = [new AxeSelector("[data-rows] > :nth-child(n+9), tbody > :nth-child(n+9), [role=log] > :nth-child(n+9)")],
    };

    /// <summary>Dark differs from light in its colours alone.</summary>
    public static async Task CheckAsync(IPage page, ColorScheme scheme)
    {
        var result = await page.RunAxe(Context, scheme is ColorScheme.Dark ? Contrast : All);
        Assert.True(result.Violations.Length == 0, $"{page.Url}\n" + string.Join('\n', result.Violations.SelectMany(
            violation => violation.Nodes, (violation, node) => $"{violation.Id}: {violation.Help}: {node.Html} {string.Join("; ", node.Any.Select(check => check.Message))}")));
    }
}
