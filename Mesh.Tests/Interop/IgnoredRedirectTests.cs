using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Tests.Server;

namespace Mesh.Tests.Interop;

/// <summary>A worker of another implementation that answers tasks only, and ignores REDIRECT.</summary>
[Trait("Speed", "Slow")]
public sealed class IgnoredRedirectTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LineWorker_IgnoresRedirect_IsLentOnlyOnce()
    {
        await using var server = await TestServer.StartAsync(
            ("Mesh:Peers:0:Id", "SERVER_2"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"), ("Mesh:Balancing:MinWorkersBeforeSharing", "0"));
        var redirects = 0;
        using var limit = new CancellationTokenSource(Limit);
        for (JsonElement? notLentUntil = null; notLentUntil is null; notLentUntil = await NotLentUntilAsync(server))
        {
            Assert.False(limit.IsCancellationRequested, "Waited for the worker not to be lent any more.");
            redirects += await PollAsync(server) == "REDIRECT" ? 1 : 0;
            await RequestAsync(server);
        }

        Assert.Equal(1, redirects);
        Assert.Equal("UNAVAILABLE", await RequestAsync(server));
        Assert.Empty((await server.GetJsonAsync("/status")).GetProperty("loans").EnumerateArray());
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        Assert.Equal("QUERY", await PollAsync(server));
    }

    private static async Task<string?> PollAsync(TestServer server) =>
        (string?)(await AskAsync(server, new JsonObject { ["WORKER"] = "ALIVE", ["WORKER_UUID"] = "py" }))?["TASK"];

    private static async Task<string?> RequestAsync(TestServer server) => (string?)(await AskAsync(server, new JsonObject
    {
        ["TASK"] = "WORKER_REQUEST",
        ["REQUESTOR_INFO"] = new JsonObject { ["ip"] = "127.0.0.1", ["port"] = 1 },
    }))?["RESPONSE"];

    private static Task<JsonNode?> AskAsync(TestServer server, JsonObject message) => LinePeer.AskAsync("127.0.0.1", server.Address.Port, message, Stop);

    private static async Task<JsonElement?> NotLentUntilAsync(TestServer server) =>
        (await server.GetJsonAsync("/status")).GetProperty("workers").EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } worker
            && worker.TryGetProperty("notLentUntil", out var until) ? until : null;
}
