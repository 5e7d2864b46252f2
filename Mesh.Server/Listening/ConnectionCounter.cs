using System.Net;
using System.Runtime.InteropServices;
using Mesh.Server.Hosting.Options;

namespace Mesh.Server.Listening;

/// <summary>
/// Limits the number of all connections and of those from one address. An IPv6 /64 network counts as one address, because most holders of an IPv6 address control its whole network.
/// Not a PartitionedRateLimiter, which has a timer of 100 ms: this was a third of the processor time of an idle server.
/// </summary>
internal sealed class ConnectionCounter(int most, int mostPerAddress)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private int _all;

    /// <summary>The number of open connections.</summary>
    public int All => Volatile.Read(ref _all);

    /// <summary>Counts a connection unless a limit is reached. The connection counts until the result is disposed, once.</summary>
    /// <param name="address">The address of the peer. Null when it has none, for example on a Unix socket.</param>
    public ConnectionAdmission Enter(IPAddress? address)
    {
        var key = address is null ? null : KeyOf(address);
        lock (_lock)
        {
            if (_all >= most)
            {
                return new(ConnectionOutcome.TooMany, null, null);
            }

            if (key is not null)
            {
                ref var own = ref CollectionsMarshal.GetValueRefOrAddDefault(_byAddress, key, out _);
                if (own >= mostPerAddress)
                {
                    return new(ConnectionOutcome.TooManyFromAddress, null, null);
                }

                own++;
            }

            _all++;
            return new(ConnectionOutcome.Admitted, this, key);
        }
    }

    /// <summary>Ends the count of a connection.</summary>
    /// <param name="key">The address that it is counted under, or null.</param>
    public void Leave(IPAddress? key)
    {
        lock (_lock)
        {
            _all--;
            if (key is not null && --CollectionsMarshal.GetValueRefOrNullRef(_byAddress, key) == 0)
            {
                _byAddress.Remove(key);
            }
        }
    }

    /// <summary>Returns the address that a connection is counted under.</summary>
    public static IPAddress KeyOf(IPAddress address)
    {
        address = AddressRange.Plain(address);
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var length) || length < 16 || IPAddress.IsLoopback(address))
        {
            return address;
        }

        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}

/// <summary>A counted connection, or the limit that it would exceed.</summary>
/// <param name="Counter">Null for a refused connection.</param>
/// <param name="Key">The address that the connection is counted under, or null.</param>
internal readonly record struct ConnectionAdmission(ConnectionOutcome Outcome, ConnectionCounter? Counter, IPAddress? Key) : IDisposable
{
    public void Dispose() => Counter?.Leave(Key);
}

internal enum ConnectionOutcome : byte
{
    Admitted = 1,
    TooMany = 2,
    TooManyFromAddress = 3,
}
