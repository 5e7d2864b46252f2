using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Mesh.Common;

/// <summary>Binds a section to its options and reports all faults. The binder of .NET stops at the first value that it cannot convert.</summary>
public static class SettingsBinder
{
    /// <param name="target">The options. Properties that are not configured keep their values.</param>
    /// <param name="faults">
    /// Receives a message for each value that cannot be converted and each unknown setting that is similar to a known one. The message names the environment variable.
    /// </param>
    /// <param name="unknown">Receives the environment variables of all other unknown settings. They may be those of another program.</param>
    public static void Bind(IConfigurationSection section, object target, List<string> faults, List<string> unknown)
    {
        BindProperties(section, target, faults);
        string[] known = [.. KnownPaths(section.Path, target.GetType())];
        foreach (var (path, nearest) in FindUnknown(section, target.GetType()))
        {
            if ((nearest ?? Array.Find(known, candidate => WithoutSeparators(candidate).Equals(WithoutSeparators(path), StringComparison.OrdinalIgnoreCase))) is { } meant)
            {
                faults.Add($"{VariableOf(path)} is unknown; the nearest known setting is {VariableOf(meant)}");
            }
            else
            {
                unknown.Add(VariableOf(path));
            }
        }
    }

    private static void BindProperties(IConfigurationSection section, object target, List<string> faults)
    {
        foreach (var property in PropertiesOf(target.GetType()))
        {
            var (child, type) = (section.GetSection(property.Name), property.PropertyType);
            if (IsSection(type))
            {
                BindProperties(child, property.GetValue(target)!, faults);
                continue;
            }

            try
            {
                // Without this option the binder leaves out elements of a list that it cannot convert.
                if (child.Get(type, binder => binder.ErrorOnUnknownConfiguration = !IsSection(ElementOf(type))) is { } value)
                {
                    property.SetValue(target, value);
                }
            }
            catch (InvalidOperationException)
            {
                // The message of the exception contains the value, which may be a secret under a wrong key.
                faults.Add($"{VariableOf(child.Path)} must be {Describe(type)}");
            }
        }
    }

    private static IEnumerable<(string Path, string? Nearest)> FindUnknown(IConfigurationSection section, Type options)
    {
        var properties = PropertiesOf(options);
        foreach (var child in section.GetChildren())
        {
            if (Array.Find(properties, property => property.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase)) is not { } property)
            {
                yield return (child.Path, NearestName.Find(child.Key, properties.Select(one => one.Name)) is { } name ? ConfigurationPath.Combine(section.Path, name) : null);
                continue;
            }

            var (type, element) = (property.PropertyType, ElementOf(property.PropertyType));
            foreach (var unknown in IsSection(element) ? (type == element ? [child] : child.GetChildren()).SelectMany(part => FindUnknown(part, element)) : [])
            {
                yield return unknown;
            }
        }
    }

    private static IEnumerable<string> KnownPaths(string section, Type options) => PropertiesOf(options).SelectMany(property =>
        ConfigurationPath.Combine(section, property.Name) is var path && IsSection(property.PropertyType) ? KnownPaths(path, property.PropertyType) : [path]);

    private static PropertyInfo[] PropertiesOf(Type options) => options.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    private static bool IsSection(Type type) => type.IsClass && type != typeof(string) && !IsList(type);

    private static bool IsList(Type type) => typeof(IList).IsAssignableFrom(type);

    private static Type ElementOf(Type type) => IsList(type) ? type.GetGenericArguments()[0] : type;

    private static string VariableOf(string path) => path.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal);

    /// <summary>Paths that are equal without separators differ in the number of underscores: Mesh__Tasks_HoldTime.</summary>
    private static string WithoutSeparators(string path) => path.Replace("_", "", StringComparison.Ordinal).Replace(ConfigurationPath.KeyDelimiter, "", StringComparison.Ordinal);

    private static string Describe(Type type) =>
        type == typeof(TimeSpan) ? "a time such as 00:00:15"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) ? "a whole number"
        : type == typeof(double) ? "a number such as 0.15"
        : type.IsEnum ? string.Join(" or ", Enum.GetNames(type))
        : IsList(type) ? "a list of texts"
        : "a text";
}
