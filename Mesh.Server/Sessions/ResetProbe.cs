using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Server.Sessions;

/// <summary>Asks the socket under a connection whether the peer has reset it. Kestrel does not tell once it has read the peer's end.</summary>
internal static class ResetProbe
{
    /// <summary>The probe of a connection; null where there is no socket, as in a server in memory.</summary>
    public static Func<bool>? Of(IFeatureCollection features) =>
        features.Get<IConnectionSocketFeature>()?.Socket is { } socket ? () => HasError(socket) : null;

    private static bool HasError(Socket socket)
    {
        try
        {
            return socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is not 0;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // This side has closed it.
            return false;
        }
    }
}
