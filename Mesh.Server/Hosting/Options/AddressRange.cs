using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Mesh.Server.Hosting.Options;

/// <summary>Parses an IP address or a network in CIDR notation.</summary>
internal static class AddressRange
{
    public static bool TryParse([NotNullWhen(true)] string? text, out IPNetwork range)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            address = Plain(address);
            range = new IPNetwork(address, address.GetAddressBytes().Length * 8);
            return true;
        }

        return IPNetwork.TryParse(text, out range);
    }

    /// <summary>Returns the IPv4 address of an IPv4-mapped IPv6 address. Returns every other address unchanged.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
