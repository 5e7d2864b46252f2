using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>Which borrowers a redirect may send this worker to. Without patterns that is its home's to decide, which has a policy of its own.</summary>
internal sealed class RedirectPolicy(IEnumerable<string> patterns)
{
    private readonly EndpointPatterns _patterns = EndpointPatterns.Of(patterns);

    public bool Allows(MeshEndpoint target) => _patterns.IsEmpty || _patterns.Match(target);
}
