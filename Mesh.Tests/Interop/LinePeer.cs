using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Mesh.Tests.Interop;

/// <summary>The exchange of the first implementations: a new connection for each message, and at most 5 seconds for one reply line.</summary>
internal static class LinePeer
{
    /// <summary>The reply, or null when there was none.</summary>
    public static async Task<JsonNode?> AskAsync(string host, int port, JsonNode message, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(host, port, limit.Token);
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.UTF8.GetBytes(message.ToJsonString() + "\n"), limit.Token);
            using var reader = new StreamReader(stream);
            return await reader.ReadLineAsync(limit.Token) is { } line ? JsonNode.Parse(line) : null;
        }
        catch (Exception lost) when (lost is SocketException or IOException || (lost is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }
}
