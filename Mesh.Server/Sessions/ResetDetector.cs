using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Server.Sessions;

/// <summary>
/// Finds out whether a peer that has ended its side of a connection got the tasks that it was sent. A peer that has only ended its own side reads its answer; one that is gone resets the
/// connection when the answer arrives.
/// </summary>
/// <param name="isReset">Tests whether the peer has reset the connection.</param>
/// <param name="closed">Completes when the connection is closed.</param>
internal sealed class ResetDetector(Func<bool> isReset, Task closed, TimeProvider time)
{
    /// <summary>When to ask for a reset: TCP takes an answer for a peer that is gone, and hears of the reset a round trip later.</summary>
    private static readonly TimeSpan[] Checks = [.. new[] { 5, 15, 30, 50, 150, 250, 500 }.Select(ms => TimeSpan.FromMilliseconds(ms))];

    /// <summary>The same when the task went out before the peer's end was seen: only a reset that is on its way already is of interest.</summary>
    private const int ChecksOfEarlierTask = 3;

    private volatile bool _gaveTask;
    private volatile bool _gaveTaskAfterEnd;

    /// <summary>A task is sent.</summary>
    /// <param name="inputEnded">Whether the peer had ended its side.</param>
    public void OnTaskSent(bool inputEnded)
    {
        _gaveTask = true;
        _gaveTaskAfterEnd |= inputEnded;
    }

    /// <summary>Waits for a reset. Returns at once when no task was sent, and when the connection is closed.</summary>
    public async Task<bool> WasResetAsync()
    {
        var checks = !_gaveTask ? 0 : _gaveTaskAfterEnd ? Checks.Length : ChecksOfEarlierTask;
        for (var i = 0; i < checks && !closed.IsCompleted; i++)
        {
            await closed.WaitAsync(Checks[i], time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (isReset())
            {
                return true;
            }
        }

        return false;
    }
}

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
