using System.Collections;
using Microsoft.Extensions.Configuration;

namespace Mesh.Configuration;

/// <summary>A configured setting that no option has.</summary>
/// <param name="Name">Its environment variable.</param>
/// <param name="Nearest">The environment variable that was most likely meant, or null.</param>
internal readonly record struct UnknownSetting(string Name, string? Nearest);

/// <summary>Finds what is configured in a section and is no property of its options.</summary>
internal static class UnknownSettings
{
    public static IEnumerable<UnknownSetting> Find(IConfigurationSection section, Type options)
    {
        string[] known = [.. Paths(options).Select(path => ConfigurationPath.Combine(section.Path, path))];
        foreach (var (path, nearest) in FindIn(section, options))
        {
            yield return new(OptionsReader.VariableOf(path), (nearest ?? FindIgnoringUnderscores(path, known)) is { } meant ? OptionsReader.VariableOf(meant) : null);
        }
    }

    private static IEnumerable<(string Path, string? Nearest)> FindIn(IConfigurationSection section, Type options)
    {
        var properties = OptionsReader.PropertiesOf(options);
        foreach (var child in section.GetChildren())
        {
            if (Array.Find(properties, property => property.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase)) is not { } property)
            {
                yield return (child.Path, NearestName.Find(child.Key, properties.Select(one => one.Name)) is { } name ? ConfigurationPath.Combine(section.Path, name) : null);
                continue;
            }

            var type = property.PropertyType;
            var isList = typeof(IList).IsAssignableFrom(type);
            var element = isList ? type.GetGenericArguments()[0] : type;
            if (OptionsReader.IsSection(element))
            {
                foreach (var unknown in (isList ? child.GetChildren() : [child]).SelectMany(part => FindIn(part, element)))
                {
                    yield return unknown;
                }
            }
        }
    }

    /// <summary>The setting that one is but for its underscores, which are easily one too few or too many: Mesh__Tasks_HoldTime.</summary>
    private static string? FindIgnoringUnderscores(string path, string[] known) =>
        Array.Find(known, candidate => RemoveSeparators(candidate).Equals(RemoveSeparators(path), StringComparison.OrdinalIgnoreCase));

    private static string RemoveSeparators(string path) =>
        path.Replace("_", "", StringComparison.Ordinal).Replace(ConfigurationPath.KeyDelimiter, "", StringComparison.Ordinal);

    private static IEnumerable<string> Paths(Type options) => OptionsReader.PropertiesOf(options).SelectMany(property =>
        OptionsReader.IsSection(property.PropertyType) && !typeof(IList).IsAssignableFrom(property.PropertyType)
            ? Paths(property.PropertyType).Select(path => ConfigurationPath.Combine(property.Name, path))
            : [property.Name]);
}
