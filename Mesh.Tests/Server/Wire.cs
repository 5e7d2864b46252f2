using System.Net.Sockets;
using System.Text;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Tests.Server;

/// <summary>Sends and receives on connections of tests.</summary>
internal static class Wire
{
    public static async Task<T> ReceiveAsync<T>(this MeshConnection connection)
        where T : MeshMessage
    {
        var received = await connection.ReceiveAsync(TestContext.Current.CancellationToken).AsTask().OrFailAsync($"a {typeof(T).Name} on {connection.RemoteAddress}");
        return Assert.IsType<T>(received.Message);
    }

    public static async Task<CloseReason> EndAsync(this MeshConnection connection)
    {
        while (true)
        {
            var received = await connection.ReceiveAsync(TestContext.Current.CancellationToken).AsTask().OrFailAsync($"the end of {connection.RemoteAddress}");
            if (received.Kind == ReceiveResultKind.End)
            {
                return received.EndReason;
            }
        }
    }

    public static Task SayAsync(this Socket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken).AsTask();

    /// <summary>The next line, or null when the peer closed or reset.</summary>
    public static async Task<string?> HearLineAsync(this Socket socket)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        try
        {
            while (await socket.ReceiveAsync(one, TestContext.Current.CancellationToken).AsTask().OrFailAsync($"a line's next byte after \"{line}\"") == 1)
            {
                if (one[0] == '\n')
                {
                    return line.ToString();
                }

                line.Append((char)one[0]);
            }
        }
        catch (SocketException)
        {
            // Reset.
        }

        return null;
    }

    /// <summary>
    /// Advances the fake time second by second until the task is completed, and returns the seconds. The server answers a request after each second, so that what it
    /// has received and what its timers have done is effective before the next one.
    /// </summary>
    /// <param name="most">The test fails when the task is not completed after so many seconds.</param>
    public static async Task<int> SecondsUntilAsync(this TestServer server, FakeTimeProvider time, Task task, int most, Func<Task>? beforeEach = null)
    {
        await server.GetAsync("/alive");
        for (var seconds = 0; ; seconds++)
        {
            if (task.IsCompleted)
            {
                return seconds;
            }

            Assert.True(seconds < most, $"Not completed after {seconds} s of the server's time.");
            await (beforeEach?.Invoke() ?? Task.CompletedTask);
            time.Advance(TimeSpan.FromSeconds(1));
            await server.GetAsync("/alive");
        }
    }
}
