using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.Core.Persistence;
using Mesh.Server.Core.Tasks;
using Mesh.Tests.Server.Storage;

namespace Mesh.Tests.Server.Api;

/// <summary>Dead letters by page and by type (docs/protocol.md, "Dead letters").</summary>
public sealed class DeadLetterApiTests
{
    private readonly InMemoryMeshStore _store = new();

    [Fact]
    public async Task List_FollowingTheLinks_GivesEachDeadLetterOnce()
    {
        await using var server = await StartAsync(dead: 25);
        var (ids, path, pages) = (new List<string>(), "/tasks?state=dead&type=RESIZE&limit=10", 0);

        while (path is not null)
        {
            var answer = await server.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var page = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
            ids.AddRange(page.EnumerateArray().Select(task => task.GetProperty("id").GetString()!));
            path = answer.Headers.TryGetValues("Link", out var links) && links.Single().Split('>') is [var target, "; rel=\"next\""] ? target[1..] : null;
            pages++;
        }

        Assert.Equal(Enumerable.Range(0, 25).Where(i => i % 2 == 0).Select(i => $"t{i}"), ids);
        Assert.Equal(2, pages);
    }

    [Theory]
    [InlineData("GET", "/tasks?state=dead&after=!", "after")]
    [InlineData("GET", "/tasks?state=dead&after=MTIz", "after")]
    [InlineData("GET", "/tasks?state=dead&type=NO_TASK", "type")]
    [InlineData("GET", "/tasks?state=queued&type=RESIZE", "type")]
    [InlineData("GET", "/tasks?state=running&after=x", "after")]
    [InlineData("POST", "/tasks/retry?state=queued", "state")]
    [InlineData("POST", "/tasks/retry", "state")]
    [InlineData("POST", "/tasks/retry?state=dead&type=1", "type")]
    [InlineData("DELETE", "/tasks", "state")]
    [InlineData("DELETE", "/tasks?state=done", "state")]
    [InlineData("DELETE", "/tasks?state=dead&type=", "type")]
    public async Task Request_WrongParameter_NamesIt(string method, string path, string field)
    {
        await using var server = await StartAsync(dead: 2);

        var answer = await SendAsync(server, method, path);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(field, answer.Body.GetProperty("field").GetString());
        Assert.Equal(2, await DeadAsync(server));
    }

    [Theory]
    [InlineData("POST", "/tasks/retry?state=dead", 450, 450)]
    [InlineData("POST", "/tasks/retry?state=dead&type=RESIZE", 450, 225)]
    [InlineData("DELETE", "/tasks?state=dead", 450, 450)]
    [InlineData("DELETE", "/tasks?state=dead&type=QUERY", 450, 225)]
    [InlineData("DELETE", "/tasks?state=dead&type=OTHER", 3, 0)]
    [InlineData("POST", "/tasks/retry?state=dead", 0, 0)]
    public async Task Request_ForAll_ChangesThemAndAnswersTheirNumber(string method, string path, int dead, int count)
    {
        await using var server = await StartAsync(dead);

        var answer = await SendAsync(server, method, path);

        Assert.Equal(method == "POST" ? HttpStatusCode.Accepted : HttpStatusCode.OK, answer.Status);
        Assert.Equal(count, answer.Body.GetProperty("count").GetInt32());
        var status = await server.GetJsonAsync("/status");
        Assert.Equal((dead - count, method == "POST" ? count : 0), (status.GetProperty("dead").GetInt32(), status.GetProperty("queue").GetInt32()));

        // The same request again finds none.
        Assert.Equal(0, (await SendAsync(server, method, path)).Body.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Retry_MoreThanTheCapacity_RetriesAPartAndAnswers429()
    {
        await using var server = await StartAsync(dead: 450, ("Mesh:Tasks:Capacity", "300"));

        var answer = await SendAsync(server, "POST", "/tasks/retry?state=dead");

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.Status);
        Assert.Equal(200, answer.Body.GetProperty("count").GetInt32());
        Assert.Equal(250, await DeadAsync(server));
    }

    [Fact]
    public async Task Request_WhilePaused_DeletesAndDoesNotRetry()
    {
        await using var server = await StartAsync(dead: 3);
        await server.PostAsync("/pause", "");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await SendAsync(server, "POST", "/tasks/retry?state=dead")).Status);
        Assert.Equal(3, await DeadAsync(server));
        Assert.Equal(3, (await SendAsync(server, "DELETE", "/tasks?state=dead")).Body.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Request_StoreUnavailable_Answers503()
    {
        await using var server = await StartAsync(dead: 3);
        _store.IsUnavailable = true;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await SendAsync(server, "DELETE", "/tasks?state=dead")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await SendAsync(server, "POST", "/tasks/retry?state=dead")).Status);
    }

    private static async Task<int> DeadAsync(TestServer server) => (await server.GetJsonAsync("/status")).GetProperty("dead").GetInt32();

    private static async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(TestServer server, string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken));
    }

    /// <summary>Starts a server with dead letters: t0 of RESIZE, t1 of QUERY, and so on.</summary>
    private async Task<TestServer> StartAsync(int dead, params (string Key, string Value)[] settings)
    {
        var place = new ServerId("server-a");
        await StoreOperations.AcquireLeaseAsync(_store, place, "before");
        await StoreOperations.WriteAsync(_store, [.. Enumerable.Range(0, dead).SelectMany(i =>
        {
            var task = StoreOperations.Task($"t{i}", sequence: i + 1) with { Type = i % 2 == 0 ? TaskType.Parse("RESIZE")!.Value : TaskType.Query, State = TaskState.Dead };
            return new[] { StoreOp.Of(StoreOpKind.AcceptTask, task), StoreOp.Of(StoreOpKind.MoveTaskToDeadLetters, task) };
        })]);
        await _store.ReleaseLeaseAsync(place, TestContext.Current.CancellationToken);
        return await TestServer.StartAsync(_store, TimeProvider.System, settings);
    }
}
