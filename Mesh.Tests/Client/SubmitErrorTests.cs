using System.Net;
using MeshAspire.Client;
using static Mesh.Tests.Client.ScriptedServers;

namespace Mesh.Tests.Client;

/// <summary>The exceptions of submissions.</summary>
public sealed class SubmitErrorTests
{
    private static readonly MeshTaskRequest Update = MeshTaskRequest.Update("maria", -1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Submit_FieldNotValid_NamesTheFieldAndIsNotRepeated()
    {
        using var servers = new ScriptedServers().On("server-a", Problem(HttpStatusCode.BadRequest, """{"detail":"amount must not be negative.","field":"amount"}""")).On("server-b", Accept());

        var error = await Assert.ThrowsAsync<TaskRejectedException>(() => servers.Client().SubmitAsync(Update, Stop));

        Assert.Equal(("amount", "amount must not be negative."), (error.Field, error.Detail));
        Assert.Equal("http://server-a refused the request: amount must not be negative. Nothing was accepted.", error.Message);
        Assert.Equal(A, error.Server);
        Assert.Single(servers.Log);
    }

    [Fact]
    public async Task Submit_Conflict_NamesTheFields()
    {
        using var servers = new ScriptedServers().On("server-a", Problem(HttpStatusCode.Conflict, """{"detail":"user and amount differ.","field":"user","fields":["user","amount"]}"""));

        var error = await Assert.ThrowsAsync<TaskConflictException>(() => servers.Client().SubmitAsync(Update, Stop));

        Assert.Equal(["user", "amount"], error.Fields);
    }

    [Fact]
    public async Task Submit_WrongRole_IsUnauthorized()
    {
        using var servers = new ScriptedServers().On("server-a", Problem(HttpStatusCode.Forbidden, """{"detail":"This token permits only the role workers."}"""));

        await Assert.ThrowsAsync<MeshUnauthorizedException>(() => servers.Client().SubmitAsync(Update, Stop));
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.OK)]
    [InlineData(HttpStatusCode.MovedPermanently)]
    public async Task Submit_AnotherKindOfServer_IsUnexpected(HttpStatusCode status)
    {
        using var servers = new ScriptedServers().On("server-a", Status(status));

        var error = await Assert.ThrowsAsync<UnexpectedResponseException>(() => servers.Client().SubmitAsync(Update, Stop));

        Assert.Contains("http://server-a answered", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_FullUntilTheTimeLimit_IsQueueFull()
    {
        using var servers = new ScriptedServers().On("server-a", Full("20")).On("server-b", NothingAccepted("20"));

        var error = await Assert.ThrowsAsync<QueueFullException>(() => servers.Client().SubmitAsync(Update, Stop));

        Assert.Equal(
            "http://server-a answered 429: This server has reached its limit of unsettled tasks (Mesh__Tasks__Capacity); http://server-b answered 503: This server is paused. "
            + "Nothing was accepted. Submit the tasks again later.",
            error.Message);
        Assert.Equal(6, servers.Log.Length);
    }

    [Fact]
    public async Task Submit_UnreachableUntilTheTimeLimit_IsUnavailable()
    {
        using var servers = new ScriptedServers().On("server-a", Refused());

        var error = await Assert.ThrowsAsync<MeshUnavailableException>(() => servers.Client().SubmitAsync(Update, Stop));

        Assert.Equal("http://server-a cannot be connected to: Connection refused. Nothing was accepted. Submit the tasks again later.", error.Message);
        Assert.InRange(servers.Time.Waits.Sum(wait => wait.TotalSeconds), 50, 60);
    }

    [Fact]
    public async Task Submit_UnknownUntilTheTimeLimit_CanBeRepeatedAtTheSameServer()
    {
        using var servers = new ScriptedServers().On("server-a", Full(), Accept()).On("server-b", Lost());
        var client = servers.Client();
        var error = await Assert.ThrowsAsync<TaskOutcomeUnknownException>(() => client.SubmitAsync(Update, Stop));
        var id = Assert.Single(error.Ids);
        Assert.Equal(B, error.Server);
        servers.On("server-b", Accept());
        var before = servers.Log.Length;

        Assert.Equal(id, await client.SubmitAsync(error.Tasks[0], Stop));
        Assert.Equal(id, await client.SubmitAsync(Update with { Options = new() { Id = id } }, Stop));
        Assert.Equal(id, await servers.Client().SubmitAsync(error.Tasks[0], Stop));

        Assert.Equal(["server-b POST /tasks", "server-b POST /tasks", "server-b POST /tasks"], servers.Log.Skip(before));
        Assert.All(servers.Received, request => Assert.Equal([id], request.Ids));
    }

    [Fact]
    public async Task Submit_RejectedAfterAnUnknownOutcome_StaysUnknown()
    {
        using var servers = new ScriptedServers().On("server-a", Lost(), Problem(HttpStatusCode.Unauthorized, """{"detail":"This server requires a token."}"""));

        var error = await Assert.ThrowsAsync<TaskOutcomeUnknownException>(() => servers.Client().SubmitAsync(Update, Stop));

        Assert.IsType<MeshUnauthorizedException>(error.InnerException);
        Assert.Equal(2, servers.Log.Length);
    }

    [Fact]
    public async Task Submit_AcceptedButTheBodyIsLost_IsAccepted()
    {
        using var servers = new ScriptedServers().On("server-a", (_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Accepted) { Content = new StreamContent(new LostStream()) }));

        await servers.Client().SubmitAsync(Update, Stop);

        Assert.Single(servers.Log);
    }

    /// <summary>A body whose connection is lost.</summary>
    private sealed class LostStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("The connection was reset.");

        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("The connection was reset.");
    }
}
