namespace Mesh.Accounts;

/// <summary>Creates the hash tag of Redis keys. A cluster keeps keys with the same hash tag in one slot.</summary>
public static class HashTag
{
    /// <summary>Returns the name in braces. Braces in the name are escaped, because they would end the hash tag early or make it empty.</summary>
    public static string Of(string name) => $"{{{Escape(name)}}}";

    private static string Escape(string name) => name.AsSpan().ContainsAny('%', '}')
        ? name.Replace("%", "%25", StringComparison.Ordinal).Replace("}", "%7D", StringComparison.Ordinal)
        : name;
}
