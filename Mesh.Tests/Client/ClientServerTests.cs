using System.Text.Json;
using Mesh.Protocol;
using Mesh.Tests.Fixtures;
using Mesh.Tests.Server;
using Mesh.Transport;
using MeshAspire.Client;
using MeshClient = MeshAspire.Client.MeshClient;
using TaskStatus = Mesh.Protocol.TaskStatus;

namespace Mesh.Tests.Client;

/// <summary>The client with the HTTP API of a real server.</summary>
public sealed class ClientServerTests
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private static readonly WorkerId Worker = new("w1");
    private static readonly TaskTypeSet Types = TaskTypeSet.Of(TaskType.Parse("RESIZE")!.Value);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_WithPayload_ReturnsTheWorkersResult()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", Token));
        await using var worker = await server.DialAsync(Framing.WebSocket, Token);
        var running = NewClient(server).RunAsync<JsonElement>("RESIZE", new { Width = 320 }, cancellationToken: Stop);

        var task = await NextAsync(worker);
        Assert.Equal("""{"width":320}""", task.Payload?.ToString());
        await SettleAsync(worker, task, TaskOutcome.Ok, """{"bytes":5}""");

        Assert.Equal(5, (await running.OrFailAsync("the result")).GetProperty("bytes").GetInt32());
    }

    [Fact]
    public async Task Submit_SameIdTwice_IsOneTaskAndAConflictWithOtherFields()
    {
        await using var server = await TestServer.StartAsync();
        var client = NewClient(server);
        var update = MeshTaskRequest.Update("maria", 1.5m, new() { Id = "order/1 %2F", Priority = 9, Delay = TimeSpan.FromHours(1), Retry = new(TimeSpan.FromSeconds(1)) });

        await client.SubmitAsync(update, Stop);
        await client.SubmitAsync(update, Stop);

        var task = await client.GetAsync("order/1 %2F", Stop);
        Assert.Equal((MeshTaskState.Scheduled, "maria", 1.5m, server.Address), (task!.State, task.User, task.Amount, task.Server));
        Assert.NotNull(task.NotBefore);
        var conflict = await Assert.ThrowsAsync<TaskConflictException>(() => client.SubmitAsync(update with { Amount = 2 }, Stop));
        Assert.Equal(["amount"], conflict.Fields);
    }

    [Fact]
    public async Task Cancel_InEachState_HasItsResult()
    {
        await using var server = await TestServer.StartAsync();
        var client = NewClient(server);
        var waiting = await client.SubmitAsync(new MeshTaskRequest("OTHER"), Stop);
        var done = await client.SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        await SettleAsync(worker, await NextAsync(worker), TaskOutcome.Ok);
        var running = await client.SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);
        await NextAsync(worker);

        Assert.Equal(CancelResult.Cancelled, await client.CancelAsync(waiting, Stop));
        Assert.Equal(CancelResult.CancellationRequested, await client.CancelAsync(running, Stop));
        Assert.Equal(CancelResult.AlreadyDone, await client.CancelAsync(done, Stop));
        Assert.Equal(CancelResult.NotFound, await client.CancelAsync("unknown", Stop));
        Assert.Equal(MeshTaskState.Cancelled, (await client.WaitAsync(waiting, cancellationToken: Stop)).State);
    }

    [Fact]
    public async Task DeadLetters_MoreThanAPage_AreListedRetriedAndDeleted()
    {
        const int Count = 120;
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:MaxAttempts", "1"));
        var client = NewClient(server);
        var ids = await client.SubmitManyAsync(Enumerable.Repeat(new MeshTaskRequest("RESIZE"), Count), Stop);
        await using var worker = await server.DialAsync(Framing.WebSocket);
        for (var i = 0; i < Count; i++)
        {
            await SettleAsync(worker, await NextAsync(worker), TaskOutcome.Nok);
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), (await client.ListDeadLettersAsync("RESIZE", Stop).ToListAsync(Stop)).Select(task => task.Id).Order(StringComparer.Ordinal));
        Assert.Empty(await client.ListDeadLettersAsync("OTHER", Stop).ToListAsync(Stop));
        Assert.Equal("no", (await Assert.ThrowsAsync<TaskDeadException>(() => client.RunAsync<int>(new MeshTaskRequest("RESIZE") { Options = new() { Id = ids[0] } }, cancellationToken: Stop))).Task.Error);
        Assert.Equal(RetryResult.Retried, await client.RetryAsync(ids[0], Stop));
        Assert.Equal(RetryResult.NotDead, await client.RetryAsync(ids[0], Stop));
        Assert.True(await client.DeleteDeadLetterAsync(ids[1], Stop));
        Assert.False(await client.DeleteDeadLetterAsync(ids[1], Stop));
        Assert.Equal(Count - 2, await client.RetryDeadLettersAsync(cancellationToken: Stop));
        Assert.Equal(0, await client.DeleteDeadLettersAsync("RESIZE", Stop));
    }

    [Fact]
    public async Task SubmitMany_MoreThanTheCapacity_AcceptsAPartAndSaysWhich()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Tasks:Capacity", "10"));

        var error = await Assert.ThrowsAsync<PartialSubmissionException>(
            () => NewClient(server, settings => settings.RetryLimit = 1).SubmitManyAsync(Enumerable.Repeat(new MeshTaskRequest("RESIZE"), 25), Stop));

        Assert.IsType<QueueFullException>(error.InnerException);
        Assert.Equal((7, 0, 18), (error.Accepted.Count, error.Unknown.Count, error.NotAccepted.Count));
        Assert.Equal(7, (await server.GetJsonAsync("/status")).GetProperty("queue").GetInt32());
    }

    [Fact]
    public async Task Submit_PausedPrimary_IsAcceptedAtTheFallbackAndFoundThere()
    {
        await using var primary = await TestServer.StartAsync();
        await using var fallback = await TestServer.StartAsync(("Mesh:ServerId", "server-b"));
        await primary.PostAsync("/pause", "");
        using var http = new HttpClient();
        var client = new MeshClient(http, new() { Endpoints = { primary.Address.AbsoluteUri, fallback.Address.AbsoluteUri } });

        var id = await client.SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);

        Assert.Equal(fallback.Address, (await client.GetAsync(id, Stop))!.Server);
    }

    [Fact]
    public async Task Schedule_PutReadAndDeleted_IsTheSame()
    {
        await using var server = await TestServer.StartAsync();
        var client = NewClient(server);
        var task = MeshTaskRequest.Create("RESIZE", new { Width = 320 }, new() { Priority = 9, MaxAttempts = 2, Timeout = TimeSpan.FromMinutes(1), Retry = new(TimeSpan.FromSeconds(1)) { Factor = 3 } });

        var schedule = await client.PutScheduleAsync("nightly", new("0 3 * * *", task) { TimeZone = "UTC" }, Stop);

        Assert.Equal(("server-a", "0 3 * * *"), (schedule.Server, schedule.Cron));
        Assert.NotNull(schedule.Next);
        var found = (await client.GetScheduleAsync("nightly", Stop))!;
        Assert.Equal(task.Options with { Retry = null }, found.Task.Options with { Retry = null });
        Assert.Equal("""{"width":320}""", found.Task.Payload?.GetRawText());
        Assert.Single(await client.ListSchedulesAsync(Stop));
        Assert.Equal("cron", (await Assert.ThrowsAsync<TaskRejectedException>(() => client.PutScheduleAsync("nightly", new("never", task), Stop))).Field);
        Assert.True(await client.DeleteScheduleAsync("nightly", Stop));
        Assert.Null(await client.GetScheduleAsync("nightly", Stop));
    }

    [Fact]
    public async Task Submit_FieldNotValid_NamesTheServersField()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Equal("amount", (await Assert.ThrowsAsync<TaskRejectedException>(() => NewClient(server).SubmitAsync(MeshTaskRequest.Update("maria", -1), Stop))).Field);
    }

    [Fact]
    public async Task Submit_WrongToken_IsUnauthorized()
    {
        await using var server = await TestServer.StartAsync(("Mesh:Token", Token));

        await Assert.ThrowsAsync<MeshUnauthorizedException>(() => NewClient(server, settings => settings.Token = "wrong").SubmitAsync(new MeshTaskRequest("RESIZE"), Stop));
    }

    private static MeshClient NewClient(TestServer server, Action<MeshClientSettings>? configure = null)
    {
        var settings = new MeshClientSettings { Token = Token };
        configure?.Invoke(settings);
        return new MeshClient(server.Http, settings);
    }

    private static async Task<NewTask> NextAsync(MeshConnection worker)
    {
        worker.TrySend(new GetTask(Worker) { Tasks = Types });
        return await worker.ReceiveAsync<NewTask>();
    }

    private static async Task SettleAsync(MeshConnection worker, NewTask task, TaskOutcome outcome, string? result = null)
    {
        worker.TrySend(new TaskStatus(outcome, task.Type, Worker)
        {
            Id = task.Id,
            Result = result is null ? null : RawJson.Copy(System.Text.Encoding.UTF8.GetBytes(result)),
            Error = outcome == TaskOutcome.Nok ? "no" : null,
        });
        await worker.ReceiveAsync<Ack>();
    }
}
