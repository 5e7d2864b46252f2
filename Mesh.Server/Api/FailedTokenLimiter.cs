using System.Net;
using Mesh.Server.Sessions;

namespace Mesh.Server.Api;

/// <summary>
/// Wrong tokens by address, minute by minute: beyond so many an address is locked out for the rest of the minute, so that guessing leads nowhere.
/// Not loopback: who is on this machine may speak lines, without any token, and one misconfigured worker must not lock out the others.
/// </summary>
internal sealed class FailedTokenLimiter(int most, TimeProvider time)
{
    /// <summary>Addresses that are counted at a time; beyond them all that fail are counted as one.</summary>
    private const int MaxAddresses = 10_000;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _failures = [];
    private long _began = time.GetTimestamp();

    /// <summary>How much longer an address is locked out; zero when it is not.</summary>
    public TimeSpan GetLockoutRemaining(IPAddress? address)
    {
        lock (_lock)
        {
            var taken = AdvanceWindow();
            return address is not null && !IPAddress.IsLoopback(address) && _failures.GetValueOrDefault(KeyOf(address)) >= most ? Minute - taken : TimeSpan.Zero;
        }
    }

    public void Add(IPAddress? address)
    {
        if (address is null || IPAddress.IsLoopback(address))
        {
            return;
        }

        lock (_lock)
        {
            AdvanceWindow();
            var key = KeyOf(address);
            _failures[key] = _failures.GetValueOrDefault(key) + 1;
        }
    }

    private IPAddress KeyOf(IPAddress address)
    {
        var key = ConnectionCounter.KeyOf(address);
        return _failures.Count < MaxAddresses || _failures.ContainsKey(key) ? key : IPAddress.None;
    }

    private TimeSpan AdvanceWindow()
    {
        var taken = time.GetElapsedTime(_began);
        if (taken < Minute)
        {
            return taken;
        }

        _began = time.GetTimestamp();
        _failures.Clear();
        return TimeSpan.Zero;
    }
}
