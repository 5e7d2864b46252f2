using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Server.Sessions;

/// <summary>
/// Finds out whether a peer that has closed its sending side received the tasks that were sent to it. A peer that has only closed its sending side reads the reply. A peer that has
/// ended resets the connection when the reply arrives.
/// </summary>
/// <param name="isReset">Tests whether the peer has reset the connection.</param>
/// <param name="closed">Completes when the connection is closed.</param>
internal sealed class ResetDetector(Func<bool> isReset, Task closed, TimeProvider time)
{
    /// <summary>The times at which the reset is checked. TCP accepts data for a peer that has ended, and receives the reset one round trip later.</summary>
    private static readonly TimeSpan[] Checks = [.. new[] { 5, 15, 30, 50, 150, 250, 500 }.Select(ms => TimeSpan.FromMilliseconds(ms))];

    /// <summary>The number of checks when the task was sent before the peer's end was received. Only a reset that is already on its way matters then.</summary>
    private const int ChecksOfEarlierTask = 3;

    private volatile bool _gaveTask;
    private volatile bool _gaveTaskAfterEnd;

    /// <summary>Called when a task is sent.</summary>
    /// <param name="inputEnded">Whether the peer has closed its sending side.</param>
    public void OnTaskSent(bool inputEnded)
    {
        _gaveTask = true;
        _gaveTaskAfterEnd |= inputEnded;
    }

    /// <summary>Waits for a reset. Returns false at once when no task was sent, and when the connection is closed.</summary>
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

/// <summary>Checks the socket of a connection for a reset by the peer. Kestrel does not report a reset after it has read the peer's end.</summary>
internal static class ResetProbe
{
    /// <summary>Returns the probe of a connection. Returns null when it has no socket, for example on a test server in memory.</summary>
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
            // This side has closed the socket.
            return false;
        }
    }
}
