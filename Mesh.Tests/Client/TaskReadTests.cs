using System.Net;
using MeshAspire.Client;
using static Mesh.Tests.Client.ScriptedServers;

namespace Mesh.Tests.Client;

/// <summary>Finding, waiting for and cancelling tasks over several servers.</summary>
public sealed class TaskReadTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static readonly ServerAction NotFound = Problem(HttpStatusCode.NotFound, """{"detail":"There is no task t."}""");
    private static readonly ServerAction Done = Body("""{"id":"t","type":"RESIZE","user":null,"amount":null,"state":"done","attempts":1,"progress":null,"result":{"bytes":5},"error":null,"worker":"w1","traceId":null}""");
    private static readonly ServerAction Running = Body("""{"id":"t","type":"RESIZE","state":"running","attempts":1,"progress":0.5}""");

    [Fact]
    public async Task Get_AtTheFallback_IsFoundWithItsServer()
    {
        using var servers = new ScriptedServers().On("server-a", NotFound).On("server-b", Done);

        var task = await servers.Client().GetAsync("t", Stop);

        Assert.Equal((MeshTaskState.Done, "w1", B, true), (task!.State, task.Worker, task.Server, task.IsSettled));
        Assert.Equal(5, task.Result!.Value.GetProperty("bytes").GetInt32());
    }

    [Fact]
    public async Task Get_NoServerKnowsIt_IsNull()
    {
        using var servers = new ScriptedServers().On("server-a", NotFound).On("server-b", NotFound);

        Assert.Null(await servers.Client().GetAsync("t", Stop));
        Assert.Equal(2, servers.Log.Length);
    }

    [Fact]
    public async Task Get_OneDoesNotKnowItAndTheOtherIsAway_IsUnavailable()
    {
        using var servers = new ScriptedServers().On("server-a", Refused()).On("server-b", NotFound);

        var error = await Assert.ThrowsAsync<MeshUnavailableException>(() => servers.Client().GetAsync("t", Stop));

        Assert.Equal("http://server-a cannot be connected to: Connection refused. Repeat the operation later.", error.Message);
    }

    [Fact]
    public async Task Get_TheOtherComesBack_IsFound()
    {
        using var servers = new ScriptedServers().On("server-a", Lost(), Unavailable(), Full(), Done).On("server-b", NotFound);

        Assert.NotNull(await servers.Client().GetAsync("t", Stop));
    }

    [Fact]
    public async Task Get_AcceptedAtTheFallback_AsksTheFallbackFirst()
    {
        using var servers = new ScriptedServers().On("server-a", Full()).On("server-b", Accept(), Done);
        var client = servers.Client();
        var id = await client.SubmitAsync(new MeshTaskRequest("RESIZE"), Stop);

        await client.GetAsync(id, Stop);

        Assert.Equal($"server-b GET /tasks/{id}", servers.Log[^1]);
        Assert.Equal(3, servers.Log.Length);
    }

    [Fact]
    public async Task Get_IdWithReservedCharacters_IsEncodedWhole()
    {
        using var servers = new ScriptedServers().On("server-a", Done);

        await servers.Client().GetAsync("a/b%2F ?#é", Stop);

        Assert.Equal("server-a GET /tasks/a%2Fb%252F%20%3F%23%C3%A9", servers.Log[0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    public async Task Get_IdThatNoUrlCanContain_IsAnArgumentError(string id)
    {
        using var servers = new ScriptedServers().On("server-a", Done);

        await Assert.ThrowsAnyAsync<ArgumentException>(() => servers.Client().GetAsync(id, Stop));

        Assert.Empty(servers.Log);
    }

    [Fact]
    public async Task Get_AnswerOfAnotherForm_IsUnexpected()
    {
        using var servers = new ScriptedServers().On("server-a", Body("<html>"));

        await Assert.ThrowsAsync<UnexpectedResponseException>(() => servers.Client().GetAsync("t", Stop));
    }

    [Fact]
    public async Task Wait_Runs_PollsUntilItIsSettled()
    {
        using var servers = new ScriptedServers();
        servers.On("server-a", NotFound).On("server-b", LongPoll(servers), LongPoll(servers), Done);

        var task = await servers.Client().WaitAsync("t", cancellationToken: Stop);

        Assert.Equal(MeshTaskState.Done, task.State);
        Assert.Equal(
            ["server-a GET /tasks/t?wait=30", "server-b GET /tasks/t?wait=30", "server-b GET /tasks/t?wait=30", "server-b GET /tasks/t?wait=30"], servers.Log);
    }

    [Fact]
    public async Task Wait_ServerIsLost_FindsTheTaskAtTheServerThatAdoptedIt()
    {
        using var servers = new ScriptedServers();
        servers.On("server-a", LongPoll(servers), Lost(), Refused()).On("server-b", NotFound, NotFound, Done);

        var task = await servers.Client().WaitAsync("t", cancellationToken: Stop);

        Assert.Equal(B, task.Server);
    }

    [Fact]
    public async Task Wait_TimeLimit_ThrowsWithTheLastState()
    {
        using var servers = new ScriptedServers().On("server-a", Running, Hang());

        var error = await Assert.ThrowsAsync<TaskNotSettledException>(() => servers.Client().WaitAsync("t", AutoAdvanceTimeProvider.Never - TimeSpan.FromTicks(1), Stop));

        Assert.Equal("t", error.Id);
    }

    [Fact]
    public async Task Wait_ServerThatDoesNotWait_EndsAtTheTimeLimitOfOperations()
    {
        using var servers = new ScriptedServers().On("server-a", Running);

        await Assert.ThrowsAsync<MeshUnavailableException>(() => servers.Client().WaitAsync("t", cancellationToken: Stop));

        Assert.InRange(servers.Log.Length, 2, 30);
    }

    [Fact]
    public async Task Wait_Unknown_ThrowsNotFound()
    {
        using var servers = new ScriptedServers().On("server-a", NotFound);

        Assert.Equal("t", (await Assert.ThrowsAsync<TaskNotFoundException>(() => servers.Client().WaitAsync("t", cancellationToken: Stop))).Id);
    }

    [Theory]
    [InlineData(HttpStatusCode.NoContent, CancelResult.Cancelled)]
    [InlineData(HttpStatusCode.Accepted, CancelResult.CancellationRequested)]
    [InlineData(HttpStatusCode.Conflict, CancelResult.AlreadyDone)]
    [InlineData(HttpStatusCode.NotFound, CancelResult.NotFound)]
    public async Task Cancel_EachAnswer_HasItsResult(HttpStatusCode status, CancelResult result)
    {
        using var servers = new ScriptedServers().On("server-a", Lost(), Unavailable(), Status(status));

        Assert.Equal(result, await servers.Client().CancelAsync("t", Stop));
    }

    [Fact]
    public async Task Cancel_AtTheFallback_IsFound()
    {
        using var servers = new ScriptedServers().On("server-a", NotFound).On("server-b", Status(HttpStatusCode.NoContent));

        Assert.Equal(CancelResult.Cancelled, await servers.Client().CancelAsync("t", Stop));
    }

    /// <summary>Answers "running" after the time that the client asked to wait.</summary>
    private static ServerAction LongPoll(ScriptedServers servers) => (request, cancellationToken) =>
    {
        servers.Time.Advance(TimeSpan.FromSeconds(30));
        return Running(request, cancellationToken);
    };
}
