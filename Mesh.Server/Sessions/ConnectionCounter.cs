using System.Net;
using Mesh.Server.Hosting.Options;

namespace Mesh.Server.Sessions;

/// <summary>Connections in all and by address. Whoever has an IPv6 address has as a rule a whole /64 of them, so that counts as one.</summary>
internal sealed class ConnectionCounter(int most, int mostPerAddress)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _byAddress = [];
    private int _all;

    public int All
    {
        get
        {
            lock (_lock)
            {
                return _all;
            }
        }
    }

    /// <summary>Counts one more, unless there are as many as may be.</summary>
    /// <param name="address">Of the peer; null where there is none, as on a Unix socket.</param>
    public ConnectionAdmission TryAcquire(IPAddress? address)
    {
        lock (_lock)
        {
            if (_all >= most)
            {
                return ConnectionAdmission.TooMany;
            }

            if (address is not null)
            {
                var key = KeyOf(address);
                var there = _byAddress.GetValueOrDefault(key);
                if (there >= mostPerAddress)
                {
                    return ConnectionAdmission.TooManyFromAddress;
                }

                _byAddress[key] = there + 1;
            }

            _all++;
            return ConnectionAdmission.Admitted;
        }
    }

    /// <summary>After a successful <see cref="TryAcquire"/>.</summary>
    public void Release(IPAddress? address)
    {
        lock (_lock)
        {
            _all--;
            if (address is not null)
            {
                var key = KeyOf(address);
                if (--_byAddress[key] == 0)
                {
                    _byAddress.Remove(key);
                }
            }
        }
    }

    /// <summary>What an address is counted under.</summary>
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

internal enum ConnectionAdmission : byte
{
    Admitted = 1,
    TooMany = 2,
    TooManyFromAddress = 3,
}
