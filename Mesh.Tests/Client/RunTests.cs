using System.Text.Json;
using System.Text.Json.Serialization;
using MeshAspire.Client;
using static Mesh.Tests.Client.ScriptedServers;

namespace Mesh.Tests.Client;

/// <summary>Submitting a task and waiting for its result.</summary>
public sealed partial class RunTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_Done_ReturnsTheResult()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Settled("done", """{"bytes":5}"""));

        var thumbnail = await servers.Client().RunAsync<Thumbnail>("RESIZE", new { Image = "cat.png" }, cancellationToken: Stop);

        Assert.Equal(new Thumbnail(5), thumbnail);
    }

    [Fact]
    public async Task Run_WithMetadata_ReturnsTheResult()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Settled("done", """{"bytes":5}"""));
        var request = MeshTaskRequest.Create("RESIZE", new Thumbnail(1), new() { Priority = 9 }, TestJson.Default.Thumbnail);

        Assert.Equal(new Thumbnail(5), await servers.Client().RunAsync(request, TestJson.Default.Thumbnail, cancellationToken: Stop));
        Assert.Contains("""{"bytes":1}""", servers.Received[0].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NoResult_ReturnsTheDefault()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Settled("done", "null"));

        Assert.Null(await servers.Client().RunAsync<Thumbnail>("RESIZE", cancellationToken: Stop));
    }

    [Fact]
    public async Task Run_ResultOfAnotherType_IsUnexpected()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Settled("done", "[1]"));

        var error = await Assert.ThrowsAsync<UnexpectedResponseException>(() => servers.Client().RunAsync<Thumbnail>("RESIZE", cancellationToken: Stop));

        Assert.Contains("is done, but its result is not a Thumbnail", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Dead_ThrowsWithTheTask()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Settled("dead", "null", "not an image"));

        var error = await Assert.ThrowsAsync<TaskDeadException>(() => servers.Client().RunAsync<Thumbnail>("RESIZE", cancellationToken: Stop));

        Assert.Equal("not an image", error.Task.Error);
        Assert.Equal("Task t (RESIZE) failed after 3 attempts at http://server-a/: not an image", error.Message.Replace(error.Task.Id, "t", StringComparison.Ordinal).Replace(servers.Received[0].Ids[0], "t", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_Cancelled_ThrowsWithTheTask()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Settled("cancelled", "null"));

        await Assert.ThrowsAsync<TaskCancelledException>(() => servers.Client().RunAsync<Thumbnail>("RESIZE", cancellationToken: Stop));
    }

    [Fact]
    public async Task Run_TimeLimit_ThrowsWithTheIdOfTheAcceptedTask()
    {
        using var servers = new ScriptedServers().On("server-a", Accept(), Hang());

        var error = await Assert.ThrowsAsync<TaskNotSettledException>(() => servers.Client().RunAsync<Thumbnail>("RESIZE", timeLimit: TimeSpan.FromSeconds(3), cancellationToken: Stop));

        Assert.Equal(error.Id, Assert.Single(servers.Received[0].Ids));
    }

    private static ServerAction Settled(string state, string result, string? error = null) =>
        Body($$"""{"id":"t","type":"RESIZE","state":"{{state}}","attempts":3,"result":{{result}},"error":{{JsonSerializer.Serialize(error)}}}""");

    internal sealed record Thumbnail(int Bytes);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Thumbnail))]
    private sealed partial class TestJson : JsonSerializerContext;
}
