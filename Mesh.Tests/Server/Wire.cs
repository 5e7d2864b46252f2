using System.Net.Sockets;
using System.Text;
using Mesh.Protocol;
using Mesh.Transport;

namespace Mesh.Tests.Server;

/// <summary>What tests say and hear on connections.</summary>
internal static class Wire
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public static async Task<T> ReceiveAsync<T>(this MeshConnection connection)
        where T : MeshMessage
    {
        var received = await connection.ReceiveAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken);
        return Assert.IsType<T>(received.Message);
    }

    public static async Task<CloseReason> EndAsync(this MeshConnection connection)
    {
        while (true)
        {
            var received = await connection.ReceiveAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken);
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
            while (await socket.ReceiveAsync(one, TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken) == 1)
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
}
