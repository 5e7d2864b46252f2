using System.CommandLine;
using System.CommandLine.Parsing;

namespace Mesh.Bench.CommandLine;

/// <summary>Creates options whose value is a member of an enumeration. Case is ignored. The error for an unknown name lists all names.</summary>
internal static class ChoiceOption
{
    /// <param name="name">The name of the option.</param>
    /// <param name="description">The text in --help.</param>
    /// <param name="helpName">The placeholder of the value in --help.</param>
    /// <param name="value">The default value.</param>
    /// <param name="choices">The members by their names.</param>
    public static Option<T> Create<T>(string name, string description, string helpName, T value, IReadOnlyDictionary<string, T> choices)
        where T : struct, Enum => new(name)
        {
            Description = description,
            HelpName = helpName,
            DefaultValueFactory = _ => value,
            CustomParser = result => Read(result, name, choices) ?? value,
        };

    private static T? Read<T>(ArgumentResult result, string name, IReadOnlyDictionary<string, T> choices)
        where T : struct, Enum
    {
        var text = result.Tokens[0].Value;
        foreach (var (known, member) in choices)
        {
            if (known.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return member;
            }
        }

        result.AddError($"{name} must be one of {string.Join(", ", choices.Keys)}, not '{text}'.");
        return null;
    }
}
