using Mesh.Protocol;

namespace Mesh.Worker.Core;

/// <summary>A server the worker is at or goes to.</summary>
/// <param name="Borrower">Its address, or null for home: that is configured, and looked up by who dials.</param>
/// <param name="Framing">How it is spoken to.</param>
internal sealed record ServerTarget(MeshEndpoint? Borrower, Framing Framing)
{
    public bool IsHome => Borrower is null;

    public override string ToString() => Borrower is { } endpoint ? endpoint.ToString() : "home";
}
