using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Mesh.Server.Hosting.Options;
using MeshAspire.Worker;

namespace Mesh.Tests.Publishing;

/// <summary>docs/operations.md lists every setting with its default, and no other names.</summary>
public sealed partial class SettingsTableTests
{
    private static readonly HashSet<string> Required =
        ["Mesh__ServerId", "Mesh__Peers__0__Id", "Mesh__Peers__0__Endpoint", "Mesh__HomeServer__Id", "Mesh__HomeServer__Endpoint"];

    [Fact]
    public void ServerTable_AgainstTheOptions_ListsEachWithItsDefault() =>
        Assert.Equal(Settings(new MeshOptions(), "Mesh").Order(), Table("### A server's settings").Order());

    [Fact]
    public void WorkerTable_AgainstTheOptions_ListsEachWithItsDefault() =>
        Assert.Equal(Settings(new MeshWorkerSettings(), "Mesh").Order(), Table("### A worker's settings").Order());

    /// <summary>The settings in the form of the table: a list is represented by its first element; a setting without a default is "required" or "none".</summary>
    private static IEnumerable<string> Settings(object options, string prefix)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var (name, value, type) = ($"{prefix}__{property.Name}", property.GetValue(options), property.PropertyType);
            if (value is IList)
            {
                var element = type.GetGenericArguments()[0];
                foreach (var one in element == typeof(string) ? [$"{name}__0 none"] : Settings(Activator.CreateInstance(element)!, $"{name}__0"))
                {
                    yield return one;
                }
            }
            else if (type.IsClass && type != typeof(string))
            {
                foreach (var one in Settings(value!, name))
                {
                    yield return one;
                }
            }
            else
            {
                yield return $"{name} {Default(name, value)}";
            }
        }
    }

    private static string Default(string name, object? value) => value switch
    {
        _ when Required.Contains(name) && value is null or "" => "required",
        _ when name == "Mesh__WorkerId" => "random",
        null => "none",
        bool flag => flag ? "true" : "false",
        TimeSpan { Milliseconds: > 0 } time => $"{time:c}".TrimEnd('0'),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    private static IEnumerable<string> Table(string heading)
    {
        var text = File.ReadAllText(BuildOutput.Source("docs/operations.md"));
        var section = text[(text.IndexOf(heading, StringComparison.Ordinal) + heading.Length)..].Split("\n#")[0];
        return Row().Matches(section).Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value}");
    }

    [GeneratedRegex(@"^\| `(\w+)` \| `?([^`|]*?)`? \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
