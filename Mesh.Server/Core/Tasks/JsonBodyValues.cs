using System.Globalization;
using System.Text.Json;

namespace Mesh.Server.Core.Tasks;

/// <summary>Reads single values of a body. Each method returns the description of the error, without the subject, or null for a valid value.</summary>
internal static class JsonBodyValues
{
    /// <summary>Returns the index of the property name at the reader's position among known names, or -1.</summary>
    public static int IndexOfName(this in Utf8JsonReader json, string[] names)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (json.ValueTextEquals(names[i]))
            {
                return i;
            }
        }

        return -1;
    }

    public static string? Text(in Utf8JsonReader json, out string text)
    {
        text = "";
        if (json.TokenType != JsonTokenType.String)
        {
            return "must be a string";
        }

        text = json.GetString()!;
        return null;
    }

    public static string? Whole(in Utf8JsonReader json, int min, int max, out int number)
    {
        number = 0;
        return json.TokenType == JsonTokenType.Number && json.TryGetInt32(out number) && number >= min && number <= max ? null : $"must be a whole number from {min} to {max}";
    }

    /// <summary>Reads a duration such as "00:00:30" or "1.12:00:00".</summary>
    public static string? Duration(in Utf8JsonReader json, TimeSpan min, TimeSpan max, out TimeSpan duration)
    {
        duration = default;
        if (json.TokenType != JsonTokenType.String || !TimeSpan.TryParseExact(json.GetString(), "c", CultureInfo.InvariantCulture, out duration))
        {
            return "must be a duration such as \"00:00:30\" or \"1.12:00:00\"";
        }

        return duration >= min && duration <= max ? null : $"must lie between {min} and {max}";
    }

    /// <summary>Reads a time of RFC 3339, such as "2030-01-31T12:00:00Z".</summary>
    public static string? Time(in Utf8JsonReader json, out DateTimeOffset time)
    {
        time = default;
        return json.TokenType == JsonTokenType.String && HasOffset(json.GetString()!) && json.TryGetDateTimeOffset(out time)
            ? null
            : "must be a time with its offset, such as \"2030-01-31T12:00:00Z\" (RFC 3339)";
    }

    /// <summary>
    /// Checks a name that a client chose. The names "." and ".." are errors, because clients and servers remove these segments from a path, encoded or not.
    /// </summary>
    public static string? CheckPathName(string name) => name is "." or ".." ? "must not be . or .., because a URL cannot contain these names" : null;

    private static bool HasOffset(string text) => text.Length > 6 && (text[^1] is 'Z' or 'z' || (text[^6] is '+' or '-' && text[^3] == ':'));
}
