using System.Net.WebSockets;
using System.Text;
using Mesh.Protocol;
using Mesh.Transport;

namespace Mesh.Tests.Transport;

public sealed class WebSocketConnectionTests() : ConnectionContract(Framing.WebSocket)
{
    private static readonly byte[] NoTask = Encoding.UTF8.GetBytes("""{"TASK": "NO_TASK"}""");

    [Fact]
    public async Task BadMessages_Received_AreErrorsAndTheNextIsRead()
    {
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{Server.WebSocketEndpoint}/mesh"), Stop);
        await using var connection = await Server.AcceptAsync();

        await client.SendAsync("junk"u8.ToArray(), WebSocketMessageType.Text, true, Stop);
        Assert.Equal(ProtocolErrorKind.NotJson, (await connection.ReceiveAsync(Stop)).Error.Kind);

        await client.SendAsync(NoTask, WebSocketMessageType.Binary, false, Stop);
        await client.SendAsync(NoTask, WebSocketMessageType.Binary, true, Stop);
        Assert.Equal(ProtocolError.NotText, (await connection.ReceiveAsync(Stop)).Error);

        await client.SendAsync(new byte[100_000], WebSocketMessageType.Text, false, Stop);
        Assert.Equal(ProtocolError.TooLong, (await connection.ReceiveAsync(Stop)).Error);
        await client.SendAsync(new byte[100_000], WebSocketMessageType.Text, true, Stop);

        await client.SendAsync(NoTask.AsMemory(0, 7), WebSocketMessageType.Text, false, Stop);
        await client.SendAsync(NoTask.AsMemory(7), WebSocketMessageType.Text, true, Stop);
        Assert.IsType<NoTask>((await connection.ReceiveAsync(Stop)).Message);
        client.Abort();
    }

    [Theory]
    [InlineData(ProtocolLimits.MaxMessageBytes, true)]
    [InlineData(ProtocolLimits.MaxMessageBytes + 1, false)]
    public async Task Message_LengthAroundLimit_IsAcceptedOrRejected(int length, bool fits)
    {
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{Server.WebSocketEndpoint}/mesh"), Stop);
        await using var connection = await Server.AcceptAsync();
        await client.SendAsync(Encoding.UTF8.GetBytes("""{"TASK": "NO_TASK"}""".PadRight(length)), WebSocketMessageType.Text, true, Stop);
        var received = await connection.ReceiveAsync(Stop);
        Assert.Equal(fits ? ReceiveResultKind.Message : ReceiveResultKind.Error, received.Kind);
        client.Abort();
    }
}
