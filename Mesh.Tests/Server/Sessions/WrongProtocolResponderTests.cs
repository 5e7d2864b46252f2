
namespace Mesh.Tests.Server.Sessions;

/// <summary>Clients of other protocols that connect to the server's port.</summary>
public sealed class WrongProtocolResponderTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    [Theory]
    [InlineData("*1\r\n$7\r\nCOMMAND\r\n")]
    [InlineData("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n")]
    public async Task RedisClient_ServersPort_GetsRedisError(string command)
    {
        await using var server = await TestServer.StartAsync();
        using var socket = await server.ConnectAsync();

        await socket.SayAsync(command);

        Assert.StartsWith("-ERR this is a mesh server, not Redis", await socket.HearLineAsync(), StringComparison.Ordinal);
        Assert.Null(await socket.HearLineAsync());
    }

    [Fact]
    public async Task RedisClient_OverTls_GetsRedisError()
    {
        await using var server = await TestServer.StartAsync(_authority.Serve());
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(server.Endpoint.Host, server.Endpoint.Port, TestContext.Current.CancellationToken);
#pragma warning disable CA5359 // Whose certificate it is does not matter here.
        await using var tls = new System.Net.Security.SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
#pragma warning restore CA5359
        await tls.AuthenticateAsClientAsync(server.Endpoint.Host);
        await tls.WriteAsync("*1\r\n$4\r\nPING\r\n"u8.ToArray(), TestContext.Current.CancellationToken);

        using var reader = new StreamReader(tls);
        Assert.StartsWith("-ERR", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HttpClient_WithoutTlsOnTlsPort_GetsHintToUseTls()
    {
        await using var server = await TestServer.StartAsync(_authority.Serve());
        using var socket = await server.ConnectAsync();

        await socket.SayAsync("GET /status HTTP/1.1\r\nHost: server\r\n\r\n");

        Assert.Equal("HTTP/1.1 400 Bad Request\r", await socket.HearLineAsync());
        string? line;
        do
        {
            line = await socket.HearLineAsync();
        }
        while (line is { Length: > 1 });

        // The body is the last line, without an end.
        using var again = new HttpClient();
        var answer = await again.GetAsync(new Uri($"http://{server.Endpoint}/status"), TestContext.Current.CancellationToken);
        Assert.Contains("https://", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    public void Dispose() => _authority.Dispose();
}
