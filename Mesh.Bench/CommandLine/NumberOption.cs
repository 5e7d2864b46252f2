using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Mesh.Bench.CommandLine;

/// <summary>Options that hold a number within bounds. What is none, or out of them, is a fault of the command line that names the option.</summary>
internal static class NumberOption
{
    /// <summary>The largest seed after which there is one for each part of a run of any length.</summary>
    public const long MaxSeed = long.MaxValue - int.MaxValue;

    /// <param name="value">Where the option is not given.</param>
    public static Option<T> Create<T>(string name, string description, T value, T least, T most)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => value,
            CustomParser = result => Read(result, name, least, most) ?? value,
        };

    /// <summary>One that is null where it is not given.</summary>
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
