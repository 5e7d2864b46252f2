using System.Net;
using System.Net.Sockets;

namespace Mesh.Server.Discovery;

/// <summary>Looks up DNS names.</summary>
internal interface INameResolver
{
    /// <summary>Returns all addresses of a name.</summary>
    /// <exception cref="SocketException">The name has no address, or the name server does not answer.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken);
}

/// <summary>Looks up names with the resolver of the machine.</summary>
internal sealed class SystemNameResolver : INameResolver
{
    public Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken) => Dns.GetHostAddressesAsync(name, cancellationToken);
}
