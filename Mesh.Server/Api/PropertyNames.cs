using Mesh.Configuration;

namespace Mesh.Server.Api;

/// <summary>What is said of the properties of a body that must not be there (docs/protocol.md, "JSON").</summary>
internal static class PropertyNames
{
    public const string Twice = "is given twice";

    private const int MaxShown = 64;

    /// <summary>A property's name for a problem's field: a long one is cut, and an empty one is seen.</summary>
    public static string Show(string name) => name.Length switch
    {
        0 => "\"\"",
        > MaxShown => string.Concat(name.AsSpan(0, char.IsHighSurrogate(name[MaxShown - 1]) ? MaxShown - 1 : MaxShown), "…"),
        _ => name,
    };

    public static string Unknown(string name, params string[] known) => NearestName.Find(name, known) is { } nearest
        ? $"is unknown; the nearest known property is {nearest}"
        : $"is unknown; the known properties are {string.Join(", ", known)}";
}
