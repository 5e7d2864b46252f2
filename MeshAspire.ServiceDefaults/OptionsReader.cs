using System.Collections;
using System.ComponentModel;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Mesh.Configuration;

/// <summary>
/// Reads options from configuration value by value: the framework's binder stops at the first that it cannot read, this one notes all of them.
/// </summary>
public static class OptionsReader
{
    /// <param name="target">Its public properties are values, lists or further sections; what is not configured stays as it is.</param>
    /// <param name="unreadable">
    /// Takes, each in words that name the environment variable, the values that could not be read and the unknown settings that are most likely misspelt.
    /// </param>
    /// <param name="unknown">Takes the environment variables of other unknown settings: another program may have been meant by them.</param>
    public static void Read(IConfigurationSection section, object target, List<string> unreadable, List<string> unknown)
    {
        ReadSection(section, target, unreadable);
        foreach (var (name, nearest) in UnknownSettings.Find(section, target.GetType()))
        {
            if (nearest is null)
            {
                unknown.Add(name);
            }
            else
            {
                unreadable.Add($"{name} is unknown; the nearest known setting is {nearest}");
            }
        }
    }

    internal static PropertyInfo[] PropertiesOf(Type options) => options.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    internal static bool IsSection(Type type) => type.IsClass && type != typeof(string);

    internal static string VariableOf(string path) => path.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal);

    private static void ReadSection(IConfigurationSection section, object target, List<string> unreadable)
    {
        foreach (var property in PropertiesOf(target.GetType()))
        {
            var child = section.GetSection(property.Name);
            if (!child.Exists())
            {
                continue;
            }

            var type = property.PropertyType;
            if (typeof(IList).IsAssignableFrom(type))
            {
                ReadList(child, (IList)property.GetValue(target)!, type.GetGenericArguments()[0], unreadable);
            }
            else if (IsSection(type))
            {
                ReadSection(child, property.GetValue(target)!, unreadable);
            }
            else if (Convert(child, type, unreadable) is { } value)
            {
                property.SetValue(target, value);
            }
        }
    }

    private static void ReadList(IConfigurationSection section, IList target, Type element, List<string> unreadable)
    {
        foreach (var child in section.GetChildren())
        {
            if (!IsSection(element))
            {
                target.Add(Convert(child, element, unreadable));
                continue;
            }

            var item = Activator.CreateInstance(element)!;
            ReadSection(child, item, unreadable);
            target.Add(item);
        }
    }

    private static object? Convert(IConfigurationSection section, Type type, List<string> unreadable)
    {
        if (section.Value is { } text)
        {
            if (type.IsEnum && Array.Find(Enum.GetNames(type), name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known)
            {
                return Enum.Parse(type, known);
            }

            var converter = TypeDescriptor.GetConverter(type);
            if (!type.IsEnum && converter.IsValid(text))
            {
                return converter.ConvertFromInvariantString(text);
            }
        }

        // The value is not repeated: it may be a secret that went to the wrong key.
        unreadable.Add($"{VariableOf(section.Path)} must be {Describe(type)}");
        return null;
    }

    private static string Describe(Type type) =>
        type == typeof(TimeSpan) ? "a time such as 00:00:15"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) ? "a whole number"
        : type == typeof(double) ? "a number such as 0.15"
        : type.IsEnum ? string.Join(" or ", Enum.GetNames(type))
        : "a text";
}
