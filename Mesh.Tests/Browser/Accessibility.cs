using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Mesh.Tests.Browser;

/// <summary>Checks a page with axe-core (https://github.com/dequelabs/axe-core): names, roles, contrast.</summary>
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

    /// <summary>All rows of a list have the same structure.</summary>
    private static readonly AxeRunContext Context = new()
    {
        Exclude = [new AxeSelector("[data-rows] > :nth-child(n+9), tbody > :nth-child(n+9), [role=log] > :nth-child(n+9)")],
    };

    /// <summary>The dark theme differs from the light one in its colours only.</summary>
    public static async Task CheckAsync(IPage page, ColorScheme scheme)
    {
        var result = await page.RunAxe(Context, scheme is ColorScheme.Dark ? Contrast : All);
        Assert.True(result.Violations.Length == 0, $"{page.Url}\n" + string.Join('\n', result.Violations.SelectMany(
            violation => violation.Nodes, (violation, node) => $"{violation.Id}: {violation.Help}: {node.Html} {string.Join("; ", node.Any.Select(check => check.Message))}")));
    }
}
