using System.Text.Json;

namespace Mesh.Server.Core.Tasks;

/// <summary>Reads the object <c>retry</c> of a task.</summary>
internal static class RetryDelaysReader
{
    private const string Retry = "retry";

    private static readonly string[] Names = ["delay", "factor", "maxDelay"];

    /// <summary>Returns the description of the first error, without the subject, or null for a valid value.</summary>
    /// <param name="field">The place of the error, such as retry.delay.</param>
    public static string? Read(ref Utf8JsonReader json, ref string? field, out RetryDelays? retry)
    {
        retry = null;
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return "must be an object with delay, factor and maxDelay";
        }

        TimeSpan? delay = null, maxDelay = null;
        double? factor = null;
        while (json.Read() && json.TokenType != JsonTokenType.EndObject)
        {
            var known = json.IndexOfName(Names);
            if (known < 0)
            {
                var name = json.GetString()!;
                field = $"{Retry}.{PropertyNames.Show(name)}";
                return PropertyNames.Unknown(name, Names);
            }

            field = $"{Retry}.{Names[known]}";
            if (known == 0 ? delay is not null : known == 1 ? factor is not null : maxDelay is not null)
            {
                return PropertyNames.Twice;
            }

            json.Read();
            var fault = known switch
            {
                0 => ReadDelay(json, out delay),
                1 => ReadFactor(json, out factor),
                _ => ReadDelay(json, out maxDelay),
            };
            if (fault is not null)
            {
                return fault;
            }
        }

        field = Retry;
        if (delay is not { } first)
        {
            return "must have a delay";
        }

        retry = new RetryDelays(first, factor ?? RetryDelays.DefaultFactor, maxDelay ?? (first > RetryDelays.DefaultMaxDelay ? first : RetryDelays.DefaultMaxDelay));
        return retry.MaxDelay < first ? "must have a maxDelay that is not shorter than its delay" : null;
    }

    private static string? ReadDelay(in Utf8JsonReader json, out TimeSpan? delay)
    {
        var fault = JsonBodyValues.Duration(json, TimeSpan.Zero, TaskBodyContext.MaxDelay, out var duration);
        delay = duration;
        return fault;
    }

    private static string? ReadFactor(in Utf8JsonReader json, out double? factor)
    {
        var number = 0d;
        var isValid = json.TokenType == JsonTokenType.Number && json.TryGetDouble(out number) && number is >= 1 and <= 100;
        factor = number;
        return isValid ? null : "must be a number from 1 to 100";
    }
}
