using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Protocol;

namespace Mesh.Tests.Server.Api;

public sealed class LoanReturnApiTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Return_NothingBorrowed_IsAnEmptyList()
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.PostAsync("/loans/return", "");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("""{"workers":[]}""", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Return_BorrowedWorker_ReceivesReturn()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Peers:0:Id", "server-b"), ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"));
        await using var guest = await server.DialAsync(Framing.WebSocket);
        await server.SubmitAsync("""{"type":"QUERY","user":"maria"}""");
        guest.TrySend(new GetTask(new WorkerId("g1"), new ServerId("server-b")));
        await guest.ReceiveAsync<NewTask>();

        var answer = await server.PostAsync("/loans/return", "");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("""{"workers":["g1"]}""", await answer.Content.ReadAsStringAsync(Stop));
        var loan = (await server.GetJsonAsync("/status")).GetProperty("loans")[0];
        Assert.Equal("releasing", loan.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Return_StoreUnavailable_Is503WithRetryAfter()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.IsUnavailable = true;
        await server.PostAsync("/tasks", """{"type":"QUERY","user":"maria"}""");

        var answer = await server.PostAsync("/loans/return", "");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        var detail = (await answer.Content.ReadFromJsonAsync<JsonElement>(Stop)).GetProperty("detail").GetString();
        Assert.Contains("store", detail, StringComparison.Ordinal);
    }
}
