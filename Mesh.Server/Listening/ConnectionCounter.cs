using System.Net;
using System.Threading.RateLimiting;
using Mesh.Server.Hosting.Options;

namespace Mesh.Server.Listening;

/// <summary>
/// Limits the number of all connections and of those from one address. An IPv6 /64 network counts as one address, because most holders of an IPv6 address control its whole network.
/// </summary>
internal sealed class ConnectionCounter(int most, int mostPerAddress) : IDisposable
{
    private readonly ConcurrencyLimiter _all = new(LimitOf(most));
    private readonly PartitionedRateLimiter<IPAddress> _byAddress = PartitionedRateLimiter.Create<IPAddress, IPAddress>(
        address => RateLimitPartition.GetConcurrencyLimiter(KeyOf(address), _ => LimitOf(mostPerAddress)));

    private volatile bool _disposed;

    /// <summary>The number of open connections.</summary>
    public int All => most - (int)_all.GetStatistics()!.CurrentAvailablePermits;

    /// <summary>Counts a connection unless a limit is reached. The connection counts until the result is disposed.</summary>
    /// <param name="address">The address of the peer. Null when it has none, for example on a Unix socket.</param>
    public ConnectionAdmission Enter(IPAddress? address)
    {
        var all = _all.AttemptAcquire();
        var own = all.IsAcquired && address is not null ? AcquireFor(address) : null;
        if (own is { IsAcquired: false })
        {
            all.Dispose();
        }

        return new(all, own);
    }

    public void Dispose()
    {
        _disposed = true;
        _all.Dispose();
        _byAddress.Dispose();
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

    private RateLimitLease AcquireFor(IPAddress address)
    {
        while (true)
        {
            try
            {
                return _byAddress.AttemptAcquire(address);
            }
            catch (ObjectDisposedException) when (!_disposed)
            {
                // The partitioned limiter removed the address's limiter, which was idle, between its lookup and this call. The next call creates a new one.
            }
        }
    }

    private static ConcurrencyLimiterOptions LimitOf(int most) => new() { PermitLimit = most };
}

/// <summary>A counted connection, or the limit that it would exceed.</summary>
internal readonly struct ConnectionAdmission(RateLimitLease all, RateLimitLease? own) : IDisposable
{
    public ConnectionOutcome Outcome { get; } =
        !all.IsAcquired ? ConnectionOutcome.TooMany
        : own is { IsAcquired: false } ? ConnectionOutcome.TooManyFromAddress
        : ConnectionOutcome.Admitted;

    public void Dispose()
    {
        own?.Dispose();
        all.Dispose();
    }
}

internal enum ConnectionOutcome : byte
{
    Admitted = 1,
    TooMany = 2,
    TooManyFromAddress = 3,
}
