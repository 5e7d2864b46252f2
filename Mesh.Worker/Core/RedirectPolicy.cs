using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>Which borrowers a redirect may send this worker to.</summary>
internal sealed class RedirectPolicy
{
    public static readonly RedirectPolicy Any = new([]);

    private readonly string[] _patterns;

    /// <param name="patterns">
    /// Each a host or host:port, an IPv6 host in brackets when a port follows; "*.name" stands for every host under that name. None allows all.
    /// </param>
    public RedirectPolicy(IEnumerable<string> patterns) => _patterns = [.. patterns];

    public bool Allows(MeshEndpoint target) => _patterns.Length == 0 || _patterns.Any(pattern => Matches(pattern, target));

    private static bool Matches(string pattern, MeshEndpoint target) => pattern.StartsWith("*.", StringComparison.Ordinal)
        ? target.Host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
            || target.ToString().EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
        : pattern.Equals(target.Host, StringComparison.OrdinalIgnoreCase) || pattern.Equals(target.ToString(), StringComparison.OrdinalIgnoreCase);
}
