using System.Net;
using Mesh.Server.Hosting.Options;
using Mesh.Server.Listening;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Access;

/// <summary>
/// Counts wrong tokens by address in windows of a minute. An address with too many is locked out until the window ends, so that tokens cannot be guessed. Loopback is not counted: a process
/// on this machine may use lines without a token, and one wrongly configured worker must not lock out the others. The rate limiters of System.Threading.RateLimiting do not accept
/// a <see cref="TimeProvider"/> and do not return the remaining time of a window, which the Retry-After header of the response needs.
/// </summary>
internal sealed class FailedTokenLimiter(IOptions<MeshOptions> options, TimeProvider time)
{
    /// <summary>The number of addresses that are counted separately. All further addresses are counted as one.</summary>
    private const int MaxAddresses = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly int _most = options.Value.Sessions.MaxFailedTokens;
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _failures = [];
    private long _began = time.GetTimestamp();

    /// <summary>Returns the time until an address is no longer locked out. Zero when it is not locked out.</summary>
    public TimeSpan GetLockoutRemaining(IPAddress? address)
    {
        if (address is null || IPAddress.IsLoopback(address))
        {
            return TimeSpan.Zero;
        }

        lock (_lock)
        {
            var elapsed = BeginWindowWhenDue();
            return _failures.GetValueOrDefault(KeyOf(address)) >= _most ? Window - elapsed : TimeSpan.Zero;
        }
    }

    /// <summary>Counts a wrong token.</summary>
    public void Add(IPAddress? address)
    {
        if (address is null || IPAddress.IsLoopback(address))
        {
            return;
        }

        lock (_lock)
        {
            BeginWindowWhenDue();
            var key = KeyOf(address);
            _failures[key] = _failures.GetValueOrDefault(key) + 1;
        }
    }

    private IPAddress KeyOf(IPAddress address)
    {
        var key = ConnectionCounter.KeyOf(address);
        return _failures.Count < MaxAddresses || _failures.ContainsKey(key) ? key : IPAddress.None;
    }

    private TimeSpan BeginWindowWhenDue()
    {
        var elapsed = time.GetElapsedTime(_began);
        if (elapsed < Window)
        {
            return elapsed;
        }

        _began = time.GetTimestamp();
        _failures.Clear();
        return TimeSpan.Zero;
    }
}
