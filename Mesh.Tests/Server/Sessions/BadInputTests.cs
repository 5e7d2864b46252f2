using System.Net;
using Mesh.Tests.Server.Telemetry;

namespace Mesh.Tests.Server.Sessions;

/// <summary>docs/protocol.md, "Bad input": the server logs it with the peer's address and counts it.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("{not json}", "NotJson")]
    [InlineData("{\"WORKER\":\"ALIVE\",\"WORKER\":\"ALIVE\",\"WORKER_UUID\":\"w1\"}", "DuplicateField")]
    [InlineData("{\"WORKER\":17}", "WrongType")]
    [InlineData("{}", "UnknownShape")]
    public async Task LinePeer_BadInput_IsLoggedWithItsAddressAndCountedByKindAndFraming(string line, string kind)
    {
        await using var server = await TestServer.StartAsync();
        using var metrics = new RecordedMetrics(server);
        using var log = new RecordedLog(server, 2001);
        using var socket = await server.ConnectAsync();

        await socket.SayAsync(line + "\n");

        // The server counts before it answers.
        Assert.Contains("NOK", await socket.HearLineAsync(), StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}", (await log.LineAsync(2001)).Text, StringComparison.Ordinal);
        Assert.Equal(1, metrics.Sum("mesh.protocol.errors", ("mesh.error.kind", kind), ("mesh.framing", "Line")));
        Assert.Equal(1, metrics.Sum("mesh.protocol.errors"));
    }
}
