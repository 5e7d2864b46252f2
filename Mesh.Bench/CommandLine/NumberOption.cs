using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Mesh.Bench.CommandLine;

/// <summary>Creates options whose value is a number within limits. Any other value is an error that names the option.</summary>
internal static class NumberOption
{
    /// <summary>The largest first seed. A run counts up from it, and no run of any length overflows.</summary>
    public const long MaxSeed = long.MaxValue - int.MaxValue;

    /// <summary>Creates an option with a default value.</summary>
    public static Option<T> Create<T>(string name, string description, T value, T least, T most)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => value,
            CustomParser = result => Read(result, name, least, most) ?? value,
        };

    /// <summary>Creates an option whose default value is null.</summary>
    public static Option<T?> CreateOptional<T>(string name, string description, T least, T most)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result => Read(result, name, least, most),
        };

    private static T? Read<T>(ArgumentResult result, string name, T least, T most)
        where T : struct, INumber<T>
    {
        var text = result.Tokens[0].Value;
        if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        var kind = least is double ? "number" : "whole number";
        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be a {kind} from {least} to {most}, not '{text}'."));
        return null;
    }
}
