using Mesh.Tests.Server;

namespace Mesh.Tests.Interop;

/// <summary>Workers of the second generation, with the lines that they send (docs/protocol.md, "Nodes of the second generation").</summary>
public sealed class SecondGenerationTests
{
    private const string Query = """{"type":"QUERY","user":"maria"}""";

    [Fact]
    public async Task Worker_OneConnection_GetsTaskAndAckByUuid()
    {
        await using var server = await TestServer.StartAsync();
        var id = await server.SubmitAsync(Query);
        using var worker = await server.ConnectAsync();

        // The ALIVE is processed although an unknown line precedes it.
        await worker.SayAsync("""{"type":"HELLO","request_id":"1","payload":{}}""" + "\n" + """{"WORKER":"ALIVE","WORKER_UUID":"w2"}""" + "\n");
        Assert.Contains("NOK", await worker.HearLineAsync(), StringComparison.Ordinal);
        Assert.Contains("QUERY", await worker.HearLineAsync(), StringComparison.Ordinal);

        await worker.SayAsync("""{"STATUS":"OK","WORKER_UUID":"w2","RESULT":"R$ 10,00","DURATION_MS":12}""" + "\n");
        Assert.Equal("""{"STATUS": "ACK", "WORKER_UUID": "w2"}""", await worker.HearLineAsync());
        await server.TaskAsync(id, "done");
        Assert.Equal(1, (await server.GetJsonAsync($"/tasks/{id}")).GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task Worker_ReportsTwiceWithoutTask_GetsErrorNamingFieldAndContinues()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync(Query);
        using var worker = await server.ConnectAsync();
        const string status = """{"STATUS":"OK","WORKER_UUID":"w2"}""" + "\n";
        await worker.SayAsync("""{"WORKER":"ALIVE","WORKER_UUID":"w2"}""" + "\n");
        await worker.HearLineAsync();
        await worker.SayAsync(status);
        Assert.Contains("ACK", await worker.HearLineAsync(), StringComparison.Ordinal);

        await worker.SayAsync(status);

        Assert.StartsWith("""{"STATUS": "NOK", "ERROR": "TASK: is missing""", await worker.HearLineAsync(), StringComparison.Ordinal);
        await server.SubmitAsync(Query);
        await worker.SayAsync("""{"WORKER":"ALIVE","WORKER_UUID":"w2"}""" + "\n");
        Assert.Contains("QUERY", await worker.HearLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.2:9002")]
    [InlineData("10.0.0.2")]
    [InlineData("server-b")]
    public async Task BorrowedWorker_OwnerNamedByAddress_IsServed(string owner)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "10.0.0.2:9002"));
        await server.SubmitAsync(Query);
        using var guest = await server.ConnectAsync();

        await guest.SayAsync($$"""{"WORKER":"ALIVE","WORKER_UUID":"g1","SERVER_UUID":"{{owner}}"}""" + "\n");

        Assert.Contains("QUERY", await guest.HearLineAsync(), StringComparison.Ordinal);
        var worker = Assert.Single((await server.GetJsonAsync("/status")).GetProperty("workers").EnumerateArray());
        Assert.Equal("server-b", worker.GetProperty("home").GetString());
    }

    [Theory]
    [InlineData("10.0.0.9")]
    [InlineData("10.0.0.2:9003")]
    [InlineData("10.0.0.7")]
    public async Task BorrowedWorker_UnknownOrAmbiguousOwner_IsRefusedNamingTheField(string owner)
    {
        await using var server = await TestServer.StartAsync(
            ("Mesh:Peers:0:Id", "server-b"),
            ("Mesh:Peers:0:Endpoint", "10.0.0.2:9002"),
            ("Mesh:Peers:1:Id", "server-c"),
            ("Mesh:Peers:1:Endpoint", "10.0.0.7:9002"),
            ("Mesh:Peers:2:Id", "server-d"),
            ("Mesh:Peers:2:Endpoint", "10.0.0.7:9003"));
        using var guest = await server.ConnectAsync();

        await guest.SayAsync($$"""{"WORKER":"ALIVE","WORKER_UUID":"g1","SERVER_UUID":"{{owner}}"}""" + "\n");

        Assert.StartsWith("""{"STATUS": "NOK", "ERROR": "SERVER_UUID""", await guest.HearLineAsync(), StringComparison.Ordinal);
    }
}
