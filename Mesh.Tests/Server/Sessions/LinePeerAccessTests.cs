using System.Net;
using System.Text;
using Mesh.Fuzz;
using Mesh.Server.Listening;
using Mesh.Tests.Server.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Sessions;

/// <summary>docs/security.md, "Line peers": what happens to lines from an address that is not allowed.</summary>
public sealed class LinePeerAccessTests
{
    [Fact]
    public async Task LinePeer_FromAnAddressNotOnTheList_IsAnsweredLoggedCountedAndClosed()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", "s3cret"), ("Mesh:LinePeers:Allowed:0", "10.0.0.7"));
        using var metrics = new RecordedMetrics(server);
        using var log = new RecordedLog(server, 2201);

        Assert.Equal(
            """{"STATUS": "NOK", "ERROR": "Line connections cannot present a token, and this address is not among Mesh__LinePeers__Allowed"}""" + "\n",
            await SayAsync(server, "10.0.0.8"));

        Assert.Contains("10.0.0.8:4000", (await log.LineAsync(2201)).Text, StringComparison.Ordinal);
        Assert.Equal(1, metrics.Sum("mesh.connections.refused", ("mesh.limit", "Mesh__LinePeers__Allowed")));
    }

    [Fact]
    public async Task LinePeer_FromAnAddressOnTheList_IsServed()
    {
        await using var server = await TestServer.StartAsync(
            ("Mesh:Token", "s3cret"), ("Mesh:LinePeers:Allowed:0", "10.0.0.7"), ("Mesh:Tasks:LineHoldTime", "00:00:00.05"));

        Assert.Equal("""{"TASK": "NO_TASK"}""" + "\n", await SayAsync(server, "10.0.0.7"));
    }

    /// <summary>Sends one get_task from this address, and returns all that the server answers until it closes the connection.</summary>
    private static async Task<string> SayAsync(TestServer server, string address)
    {
        var link = new InMemoryConnection();
        await using var context = new DefaultConnectionContext("1", link.ServerEnd, link.ClientEnd) { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 4000) };
        var served = server.Services.GetRequiredService<LineProtocolMiddleware>().OnConnectedAsync(context, _ => throw new InvalidOperationException("This is not HTTP."));
        var heard = await link.SendAndReadToEndAsync("{\"WORKER\":\"ALIVE\",\"WORKER_UUID\":\"w1\"}\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await served;
        return Encoding.UTF8.GetString(heard);
    }
}
