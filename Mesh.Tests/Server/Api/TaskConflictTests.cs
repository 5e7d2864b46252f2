using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.Loop;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Storage;
using Mesh.Transport;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Tests.Server.Api;

/// <summary>An id that is submitted again, with the same contents or others.</summary>
public sealed class TaskConflictTests
{
    private const string First = """{"type":"UPDATE","user":"maria","amount":12.50,"id":"order-1"}""";

    [Theory]
    [InlineData("queued")]
    [InlineData("running")]
    [InlineData("done")]
    [InlineData("dead")]
    public async Task Submit_SameIdOtherContents_Is409NamingTheFields(string state)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"));
        await server.SubmitAsync(First);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        await BringToAsync(server, worker, state);

        await AssertConflictAsync(server, """{"type":"UPDATE","user":"maria","amount":13,"id":"order-1"}""", "amount");
        await AssertConflictAsync(server, """{"type":"UPDATE","user":"joao","amount":13,"id":"order-1"}""", "user", "amount");
        await AssertConflictAsync(server, """{"type":"QUERY","user":"maria","id":"order-1"}""", "type", "amount");
        await AssertConflictAsync(
            server, """[{"type":"QUERY","user":"maria","id":"order-2"},{"type":"UPDATE","user":"joao","amount":12.5,"id":"order-1"}]""", "[1].user");

        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/tasks/order-2")).StatusCode);
        await AssertOnlyFirstAsync(server, state);
    }

    [Theory]
    [InlineData("queued")]
    [InlineData("running")]
    [InlineData("done")]
    [InlineData("dead")]
    public async Task Submit_SameIdSameContents_Is202AndNotRunAgain(string state)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"));
        await server.SubmitAsync(First);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        await BringToAsync(server, worker, state);

        Assert.Equal("order-1", await server.SubmitAsync(First));
        Assert.Equal("order-1", await server.SubmitAsync("""{"amount":1.25e1,"user":"maria","id":"order-1","type":"UPDATE"}"""));
        Assert.Equal("order-1", await server.SubmitAsync($"[{First},{First}]"));

        await AssertOnlyFirstAsync(server, state);
    }

    [Fact]
    public async Task Submit_SameIdTwiceInOneBatch_IsOneTaskOrAConflict()
    {
        await using var server = await TestServer.StartAsync();

        await AssertConflictAsync(server, $$"""[{{First}},{"type":"UPDATE","user":"maria","amount":1,"id":"order-1"}]""", "[1].amount");
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/tasks/order-1")).StatusCode);

        await server.SubmitAsync($"[{First},{First}]");
        await AssertOnlyFirstAsync(server, "queued");
    }

    [Theory]
    [InlineData("queued")]
    [InlineData("done")]
    [InlineData("dead")]
    public async Task Submit_SameIdAfterARestart_IsStillKnown(string state)
    {
        var store = new InMemoryMeshStore();
        await using (var before = await TestServer.StartAsync(store, TimeProvider.System, ("Mesh:Tasks:MaxAttempts", "1")))
        {
            await before.SubmitAsync(First);
            await using var worker = await before.DialAsync(Framing.WebSocket);
            await BringToAsync(before, worker, state);
            await before.StopAsync();
        }

        await using var server = await TestServer.StartAsync(store, TimeProvider.System);
        await AssertConflictAsync(server, """{"type":"UPDATE","user":"maria","amount":13,"id":"order-1"}""", "amount");
        Assert.Equal("order-1", await server.SubmitAsync(First));
        await AssertOnlyFirstAsync(server, state);
    }

    [Theory]
    [InlineData("queued")]
    [InlineData("done")]
    [InlineData("dead")]
    public async Task Submit_IdOfAnAdoptedServersTask_IsKnown(string state)
    {
        var (place, peer) = (new InMemoryNamespace(), new ServerId("server-b"));
        await using (var theirs = await TestServer.StartAsync(
            new InMemoryMeshStore(peer, place), TimeProvider.System, ("Mesh:ServerId", peer.Value), ("Mesh:Tasks:MaxAttempts", "1")))
        {
            await theirs.SubmitAsync(First);
            await using var worker = await theirs.DialAsync(Framing.WebSocket);
            await BringToAsync(theirs, worker, state);

            // A server without unsettled tasks or dead letters is not adopted.
            await theirs.SubmitAsync("""{"type":"QUERY","user":"maria","id":"other"}""");
            await theirs.StopAsync();
        }

        await using var server = await TestServer.StartAsync(
            new InMemoryMeshStore(new ServerId("server-a"), place),
            TimeProvider.System,
            ("Mesh:Peers:0:Id", peer.Value),
            ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"),
            ("Mesh:Adoption:After", "00:00:00.001"));
        var inputs = server.Services.GetRequiredService<CoreInputQueue>();
        await HangGuard.UntilAsync("the peer to be adopted", async () => await inputs.QueryAsync(core => core.GetStatus().Adopted.Count) > 0);

        await AssertConflictAsync(server, """{"type":"UPDATE","user":"maria","amount":13,"id":"order-1"}""", "amount");
        Assert.Equal("order-1", await server.SubmitAsync(First));
        Assert.Equal(state, (await server.GetJsonAsync("/tasks/order-1")).GetProperty("state").GetString());
        Assert.Equal(state == "queued" ? 2 : 1, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
    }

    private static async Task BringToAsync(TestServer server, MeshConnection worker, string state)
    {
        if (state == "queued")
        {
            return;
        }

        worker.TrySend(new GetTask(new WorkerId("w1")) { Tasks = AccountTypes.All });
        var task = await worker.ReceiveAsync<NewTask>();
        if (state != "running")
        {
            var outcome = state == "done" ? TaskOutcome.Ok : TaskOutcome.Nok;
            worker.TrySend(new Mesh.Protocol.TaskStatus(outcome, TaskType.Update, new WorkerId("w1")) { Id = task.Id, Result = state == "done" ? RawJson.Of(12.5m) : null });
            await worker.ReceiveAsync<Ack>();
        }

        await server.TaskAsync("order-1", state);
    }

    private static async Task AssertConflictAsync(TestServer server, string json, params string[] fields)
    {
        var answer = await server.PostAsync("/tasks", json);

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(fields, problem.GetProperty("fields").EnumerateArray().Select(field => field.GetString()!));
        Assert.Equal(fields[0], problem.GetProperty("field").GetString());
        Assert.Contains("order-1", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static async Task AssertOnlyFirstAsync(TestServer server, string state)
    {
        var task = await server.GetJsonAsync("/tasks/order-1");
        Assert.Equal((state, "maria", 12.5m), (task.GetProperty("state").GetString(), task.GetProperty("user").GetString(), task.GetProperty("amount").GetDecimal()));
        var status = await server.GetJsonAsync("/status");
        Assert.Equal(
            (state == "queued" ? 1 : 0, state == "running" ? 1 : 0),
            (status.GetProperty("queue").GetInt32(), status.GetProperty("running").GetInt32()));
    }
}
