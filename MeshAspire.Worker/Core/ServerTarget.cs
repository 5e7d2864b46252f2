using Mesh.Protocol;

namespace MeshAspire.Worker.Core;

/// <summary>A server that the worker is connected to or dials.</summary>
/// <param name="Borrower">The address of the borrower. Null for the home server, whose configured address is resolved when it is dialled.</param>
/// <param name="Framing">The framing of messages.</param>
internal sealed record ServerTarget(MeshEndpoint? Borrower, Framing Framing)
{
    public bool IsHome => Borrower is null;

    public override string ToString() => Borrower is { } endpoint ? endpoint.ToString() : "home";
}
