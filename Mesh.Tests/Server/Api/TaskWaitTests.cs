using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Mesh.Protocol;
using Mesh.Server.Loop;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server.Storage;
using Mesh.Transport;
using Microsoft.Extensions.DependencyInjection;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Server.Api;

/// <summary>GET /tasks/{id}?wait=… answers when the task is settled.</summary>
public sealed class TaskWaitTests
{
    private const string Task1 = """{"type":"QUERY","user":"maria","id":"order-1"}""";

    [Theory]
    [InlineData(TaskOutcome.Ok, "done")]
    [InlineData(TaskOutcome.Nok, "dead")]
    public async Task Wait_TaskIsSettled_AnswersWithItsEnd(TaskOutcome outcome, string state)
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"));
        await server.SubmitAsync(Task1);
        var waiting = await WaitAsync(server, "/tasks/order-1?wait=60");
        Assert.False(waiting.IsCompleted);

        await using var worker = await RunAsync(server, outcome);

        Assert.Equal(state, await StateAsync(await waiting.OrFailAsync("the answer")));
        Assert.Equal(0, Waiters(server).Count);
    }

    [Fact]
    public async Task Wait_FailedAttemptBefore_AnswersWithTheEndOnly()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "2"), ("Mesh:Tasks:RetryDelay", "00:00:00"));
        await server.SubmitAsync(Task1);
        var waiting = await WaitAsync(server, "/tasks/order-1?wait=60");

        await using var worker = await RunAsync(server, TaskOutcome.Nok);
        await server.GetAsync("/tasks/order-1");
        Assert.False(waiting.IsCompleted);
        await RunAsync(worker, TaskOutcome.Ok);

        Assert.Equal("done", await StateAsync(await waiting.OrFailAsync("the answer")));
    }

    [Fact]
    public async Task Wait_TaskNotSettledInTime_AnswersWithItsPresentState()
    {
        var wait = TimeSpan.FromSeconds(7);
        var time = new TimerTrackingTimeProvider();
        await using var server = await TestServer.StartAsync(new InMemoryMeshStore(new ServerId("server-a")), time);
        await server.SubmitAsync(Task1);
        var armed = time.NextTimerAsync(wait);
        var waiting = server.GetAsync("/tasks/order-1?wait=7");
        await armed;

        time.Advance(wait - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, Waiters(server).Count);
        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal("queued", await StateAsync(await waiting.OrFailAsync("the answer")));
        Assert.Equal(0, Waiters(server).Count);
    }

    [Fact]
    public async Task Wait_SettledOrUnknownTask_AnswersAtOnce()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync(Task1);
        await using var worker = await RunAsync(server, TaskOutcome.Ok);

        Assert.Equal("done", await StateAsync(await server.GetAsync("/tasks/order-1?wait=60")));
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/tasks/nobody?wait=60")).StatusCode);
        Assert.Equal(0, Waiters(server).Count);
    }

    [Theory]
    [InlineData("61")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("soon")]
    [InlineData("")]
    public async Task Wait_BadValue_Is400NamingWait(string wait)
    {
        await using var server = await TestServer.StartAsync();

        var answer = await server.GetAsync($"/tasks/order-1?wait={wait}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("wait", (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("field").GetString());
    }

    /// <summary>The status is in the loop's queue before the lookup of the request, and the request is registered already.</summary>
    [Fact]
    public async Task Wait_TaskIsSettledDuringTheLookup_IsNotMissed()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync(Task1);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        var task = await worker.ReceiveAsync<NewTask>();
        var inputs = server.Services.GetRequiredService<CoreInputQueue>();
        using var release = new ManualResetEventSlim();
        var holding = new TaskCompletionSource();
        var held = inputs.QueryAsync(_ =>
        {
            holding.SetResult();
            release.Wait(TestContext.Current.CancellationToken);
            return true;
        });
        await holding.Task.OrFailAsync("the loop to be held");

        worker.TrySend(new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.Id });
        await HangGuard.UntilAsync("the status to be queued", () => Task.FromResult(inputs.Reader.Count >= 1));
        var waiting = await WaitAsync(server, "/tasks/order-1?wait=60");
        release.Set();

        Assert.True(await held);
        Assert.Equal("done", await StateAsync(await waiting.OrFailAsync("the answer")));
    }

    [Fact]
    public async Task Wait_ManyRequestsForManyTasks_AreAllAnswered()
    {
        await using var server = await TestServer.StartAsync();
        const int Tasks = 20, Each = 10;
        await server.PostAsync("/tasks", $"[{string.Join(',', Enumerable.Range(0, Tasks).Select(i => $$"""{"type":"QUERY","user":"maria","id":"order-{{i}}"}"""))}]");
        var waiting = Enumerable.Range(0, Tasks * Each).Select(i => server.GetAsync($"/tasks/order-{i % Tasks}?wait=60")).ToArray();
        await HangGuard.UntilAsync("all requests to wait", () => Task.FromResult(Waiters(server).Count == Tasks * Each));

        await using var worker = await server.DialAsync(Framing.WebSocket);
        for (var i = 0; i < Tasks; i++)
        {
            await RunAsync(worker, TaskOutcome.Ok);
        }

        foreach (var answer in await Task.WhenAll(waiting).OrFailAsync("all answers"))
        {
            Assert.Equal("done", await StateAsync(answer));
        }

        Assert.Equal(0, Waiters(server).Count);
    }

    [Fact]
    public async Task Wait_BeyondTheLimit_Is429NamingTheSetting()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxWaits", "1"));
        await server.SubmitAsync(Task1);
        var waiting = await WaitAsync(server, "/tasks/order-1?wait=60");

        var answer = await server.GetAsync("/tasks/order-1?wait=60");

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Contains("Mesh__Tasks__MaxWaits", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/tasks/order-1")).StatusCode);
        await using var worker = await RunAsync(server, TaskOutcome.Ok);
        await waiting.OrFailAsync("the first request's answer");
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/tasks/order-1?wait=60")).StatusCode);
    }

    [Fact]
    public async Task Wait_ClientDisconnects_IsRemoved()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync(Task1);
        using (var socket = await server.ConnectAsync())
        {
            await socket.SayAsync("GET /tasks/order-1?wait=60 HTTP/1.1\r\nHost: mesh\r\n\r\n");
            await HangGuard.UntilAsync("the request to wait", () => Task.FromResult(Waiters(server).Count == 1));
        }

        await HangGuard.UntilAsync("the request to be removed", () => Task.FromResult(Waiters(server).Count == 0));
    }

    [Fact]
    public async Task Wait_ServerStops_AnswersAtOnce()
    {
        await using var server = await TestServer.StartAsync();
        await server.SubmitAsync(Task1);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        worker.TrySend(new GetTask(new WorkerId("w1")));
        var task = await worker.ReceiveAsync<NewTask>();
        var waiting = await WaitAsync(server, "/tasks/order-1?wait=60");

        // The task runs, so the server goes on until it has ended.
        var stopping = server.StopAsync();

        Assert.Equal("running", await StateAsync(await waiting.OrFailAsync("the answer")));
        Assert.False(stopping.IsCompleted);
        Assert.Equal("running", await StateAsync(await server.GetAsync("/tasks/order-1?wait=60")));
        worker.TrySend(new TaskStatus(TaskOutcome.Ok, TaskType.Query, new WorkerId("w1")) { Id = task.Id });
        await stopping.OrFailAsync("the server to stop");
    }

    [Fact]
    public async Task Wait_TaskOfAnAdoptedServer_AnswersWhenItIsSettledAndWhenItIsGivenBack()
    {
        var place = new InMemoryNamespace();
        await using (var dead = await TestServer.StartAsync(new InMemoryMeshStore(new ServerId("server-b"), place), TimeProvider.System, ("Mesh:ServerId", "server-b")))
        {
            await dead.PostAsync("/tasks", $$"""[{{Task1}},{"type":"QUERY","user":"maria","id":"order-2"}]""");
            await dead.StopAsync();
        }

        await using var server = await TestServer.StartAsync(
            new InMemoryMeshStore(new ServerId("server-a"), place),
            TimeProvider.System,
            ("Mesh:Peers:0:Id", "server-b"),
            ("Mesh:Peers:0:Endpoint", "127.0.0.1:1"),
            ("Mesh:Adoption:After", "00:00:00.001"),
            ("Mesh:Timing:HeartbeatRetries", "0"),
            ("Mesh:Timing:HeartbeatRetryDelay", "00:00:00.010"));
        await HangGuard.UntilAsync("the tasks to be adopted", async () => (await server.GetAsync("/tasks/order-1")).StatusCode == HttpStatusCode.OK);
        var first = await WaitAsync(server, "/tasks/order-1?wait=60");
        var second = await WaitAsync(server, "/tasks/order-2?wait=60");

        await using var worker = await RunAsync(server, TaskOutcome.Ok);
        Assert.Equal("done", await StateAsync(await first.OrFailAsync("the answer")));
        Assert.False(second.IsCompleted);

        await using var back = await TestServer.StartAsync(new InMemoryMeshStore(new ServerId("server-b"), place), TimeProvider.System, ("Mesh:ServerId", "server-b"));
        Assert.Equal(HttpStatusCode.NotFound, (await second.OrFailAsync("the answer when the task is given back")).StatusCode);
    }

    private static TaskWaiters Waiters(TestServer server) => server.Services.GetRequiredService<TaskWaiters>();

    /// <summary>Sends a request, and returns its answer when the server has registered it.</summary>
    private static async Task<Task<HttpResponseMessage>> WaitAsync(TestServer server, string path)
    {
        var before = Waiters(server).Count;
        var waiting = server.GetAsync(path);
        await HangGuard.UntilAsync("the request to wait", () => Task.FromResult(Waiters(server).Count > before));
        return waiting;
    }

    private static async Task<string?> StateAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("state").GetString();

    private static async Task<MeshConnection> RunAsync(TestServer server, TaskOutcome outcome)
    {
        var worker = await server.DialAsync(Framing.WebSocket);
        await RunAsync(worker, outcome);
        return worker;
    }

    private static async Task RunAsync(MeshConnection worker, TaskOutcome outcome)
    {
        worker.TrySend(new GetTask(new WorkerId("w1")));
        var task = await worker.ReceiveAsync<NewTask>();
        worker.TrySend(new TaskStatus(outcome, TaskType.Query, new WorkerId("w1")) { Id = task.Id });
        await worker.ReceiveAsync<Ack>();
    }
}
