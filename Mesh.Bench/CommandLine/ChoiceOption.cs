using System.CommandLine;
using System.CommandLine.Parsing;

namespace Mesh.Bench.CommandLine;

/// <summary>Options that hold one member of an enumeration, by a name in any case. Another name is a fault of the command line that lists them all.</summary>
internal static class ChoiceOption
{
    /// <param name="helpName">What stands for the name in --help.</param>
    /// <param name="value">Where the option is not given.</param>
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
