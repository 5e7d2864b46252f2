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

    /// <summary>Checks a page in its light and in its dark theme, which differs from the light one in its colours only.</summary>
    /// <param name="inTheme">Called in each theme before the check, or null.</param>
    public static async Task CheckAsync(IPage page, Func<ColorScheme, Task>? inTheme = null)
    {
        foreach (var (scheme, rules) in new[] { (ColorScheme.Dark, Contrast), (ColorScheme.Light, All) })
        {
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await (inTheme?.Invoke(scheme) ?? Task.CompletedTask);
            var result = await page.RunAxe(Context, rules);
            Assert.True(result.Violations.Length == 0, $"{page.Url}, {scheme}\n" + string.Join('\n', result.Violations.SelectMany(
                violation => violation.Nodes, (violation, node) => $"{violation.Id}: {violation.Help}: {node.Html} {string.Join("; ", node.Any.Select(check => check.Message))}")));
        }
    }
}
