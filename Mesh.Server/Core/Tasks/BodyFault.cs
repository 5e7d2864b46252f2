using Mesh.Common;

namespace Mesh.Server.Core.Tasks;

/// <summary>An error in a request's body.</summary>
/// <param name="Field">The place of the error in the body, such as [17].amount.</param>
/// <param name="Detail">The description, without the subject: "must be a number".</param>
/// <param name="IsTooLarge">True when a value is larger than its limit.</param>
internal readonly record struct BodyFault(string Field, string Detail, bool IsTooLarge = false);

/// <summary>The error texts for unknown and duplicate properties of a body (docs/protocol.md, "JSON").</summary>
internal static class PropertyNames
{
    public const string Twice = "is given twice";

    private const int MaxShown = 64;

    /// <summary>Formats a property's name for an error. Long names are truncated; an empty name is shown as two quotation marks.</summary>
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
