using Mesh.Protocol;

namespace MeshAspire.Worker.Core;

/// <summary>Decides which borrowers a REDIRECT may name. Without patterns all are allowed, because the home server has a policy of its own.</summary>
internal sealed class RedirectPolicy(IEnumerable<string> patterns)
{
    private readonly EndpointPatterns _patterns = EndpointPatterns.Of(patterns);

    public bool Allows(MeshEndpoint target) => _patterns.IsEmpty || _patterns.Match(target);
}
