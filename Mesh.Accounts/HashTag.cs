namespace Mesh.Accounts;

/// <summary>A name as the hash tag of Redis keys, by which a cluster keeps them in one slot.</summary>
public static class HashTag
{
    /// <summary>The name in braces. A brace in it would end the tag early, or leave it empty, so it is escaped.</summary>
    public static string Of(string name) => $"{{{Escape(name)}}}";

    private static string Escape(string name) => name.AsSpan().ContainsAny('%', '}')
        ? name.Replace("%", "%25", StringComparison.Ordinal).Replace("}", "%7D", StringComparison.Ordinal)
        : name;
}
